"""What a row may hold in any database: refused here and by name, because each database refuses it differently."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from service_kit.errors import InvalidArgument

# An entry of PostgreSQL's indexes holds at most a third of a page.
MAX_INDEXED_BYTES = 2000
_INTEGERS = range(-(2**63), 2**63)


def check_value(name: str, value: Any, *, indexed: bool = False) -> None:
    """Raise `InvalidArgument`, naming the column, for a value that not every database keeps as it is."""
    match value:
        case str():
            _check_text(name, value, indexed)
        case bool():
            pass
        case int() if value not in _INTEGERS:
            raise InvalidArgument.of([(name, "must be an integer of 64 bits")])
        case float() if math.isnan(value):
            raise InvalidArgument.of([(name, "must be a number, not NaN")])


def check_mark(kinds: Sequence[type], mark: Sequence[Any]) -> None:
    """Raise `InvalidArgument` for a place in a list that is not of the types of the columns it is ordered by."""
    fitting = len(kinds) == len(mark) and all(map(_fits, kinds, mark))
    if not fitting:
        raise InvalidArgument.of([("page_token", "must be the next_page_token of an earlier response")])
    for value in mark:
        check_value("page_token", value)


def from_json(text: str | bytes) -> Any:
    """Return what JSON text of the catalogue says; most is an empty object, and each row has several."""
    if text in ("{}", b"{}"):
        return {}
    return json.loads(text)


def to_json(value: Any) -> str:
    """Return JSON text that every database takes and gives back: ASCII, and no NaN, which JSON does not know."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        raise InvalidArgument.of([("document", "must be JSON: no NaN, no endless number, not nested deeply")]) from None


def _check_text(name: str, value: str, indexed: bool) -> None:
    if "\0" in value:
        raise InvalidArgument.of([(name, "must be text without the character NUL")])
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidArgument.of([(name, "must be Unicode text, without half a surrogate pair")])
    if indexed and len(value) > MAX_INDEXED_BYTES // 4 and len(value.encode()) > MAX_INDEXED_BYTES:
        raise InvalidArgument.of([(name, f"must be at most {MAX_INDEXED_BYTES} bytes long")])


def _fits(kind: type, value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if kind is float:
        # An integer that no double can hold would be refused by one database and rounded by another.
        return isinstance(value, float) or (isinstance(value, int) and abs(value) <= 2**53)
    return isinstance(value, kind)
