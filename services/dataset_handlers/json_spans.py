"""Reads a JSON file too large to be held as objects: its lists are gone through item by item.

A list of a million items costs the file's text, once, and never all items at the same time; each item's place in the
file is told, so that it can be read again alone.
"""

from __future__ import annotations

import json
import mmap
import os
import re
from typing import Any, Callable, Mapping, NamedTuple

_SPACE = re.compile(r"[ \t\n\r]*")


class Span(NamedTuple):
    """Where an item lies in its file."""

    offset: int
    length: int


def read_lists(path: "str | os.PathLike[str]", visitors: Mapping[str, Callable[[Any, Span], None]]) -> None:
    """Calls each key's visitor with every item of the list below that key, in the file's order.

    The file is one JSON object; other keys are passed over. Raises ``ValueError`` for anything else.
    """
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise ValueError("the file is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            # Latin-1 keeps one character for each byte, so that places in the text are places in the file.
            reader = _Reader(str(data, "latin-1"))
    try:
        reader.read_object(visitors)
    except (IndexError, StopIteration, RecursionError) as error:
        raise ValueError("the JSON is cut off or broken") from error


def read_span(file: Any, span: Span) -> Any:
    """Returns the item that lies at ``span`` of an open binary file; raises ``ValueError`` if none does any more."""
    file.seek(span.offset)
    return json.loads(file.read(span.length))


class _Reader:
    """Goes through a text once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ascii = text.isascii()
        decoder: Any = json.JSONDecoder()
        self._scan = decoder.scan_once
        self._position = 3 if text.startswith("\xef\xbb\xbf") else 0

    def read_object(self, visitors: Mapping[str, Callable[[Any, Span], None]]) -> None:
        self._skip()
        self._expect("{")
        while self._text[self._position] != "}":
            key, self._position = self._scan(self._text, self._position)
            self._skip()
            self._expect(":")
            if key in visitors:
                self._read_list(visitors[key])
            else:
                self._position = self._scan(self._text, self._position)[1]
            self._next("}")

    def _read_list(self, visit: Callable[[Any, Span], None]) -> None:
        self._expect("[")
        while self._text[self._position] != "]":
            begin = self._position
            item, end = self._scan(self._text, begin)
            if not self._ascii and not self._text[begin:end].isascii():
                item = json.loads(self._text[begin:end].encode("latin-1"))
            visit(item, Span(begin, end - begin))
            self._position = end
            self._next("]")
        self._position += 1

    def _next(self, closing: str) -> None:
        """Passes over a comma, or stays at what closes."""
        self._skip()
        if self._text[self._position] != closing:
            self._expect(",")

    def _expect(self, sign: str) -> None:
        if self._text[self._position] != sign:
            raise ValueError(f"byte {self._position} is {self._text[self._position]!r}, not {sign!r}")
        self._position += 1
        self._skip()

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._position)
        self._position = found.end() if found else self._position
