"""Collects what a piece of work logs, in bounded memory, until the registry has it."""

from __future__ import annotations

import codecs
import threading
import time
from collections import deque
from collections.abc import Callable

from handler_runner.printable import printable

# What is kept while the registry is away; what a handler prints beyond it is counted and left out.
_KEPT_BYTES = 8 * 1024 * 1024
_PIECE_BYTES = 256 * 1024
# A line that never ends is passed on in pieces.
_LINE_BYTES = 64 * 1024


class WorkLog:
    """One work's log; pieces are numbered by their first byte, so that a repeated one is recognised."""

    def __init__(self, on_append: Callable[[], None] = lambda: None, kept_bytes: int = _KEPT_BYTES) -> None:
        self._on_append = on_append
        self._kept_bytes = kept_bytes
        self._pieces: deque[bytes] = deque()
        self._unsent_bytes = 0
        self._left_out_bytes = 0
        self._offset = 0
        self._sent_length = 0
        self._lock = threading.Lock()

    @property
    def unsent(self) -> bool:
        """Whether there is text that the registry has not."""
        return self._unsent_bytes > 0 or self._left_out_bytes > 0

    def note(self, text: str) -> None:
        """Log a line of the runner's own, with its time."""
        self.append(f"{time.strftime('%H:%M:%S')} runner: {text}\n")

    def append(self, text: str) -> None:
        """Log text as it is, made printable."""
        data = printable(text).encode()
        if not data:
            return
        self._on_append()
        with self._lock:
            if self._unsent_bytes + len(data) > self._kept_bytes:
                self._left_out_bytes += len(data)
                return
            self._mark_gap()
            self._push(data)

    def next_piece(self) -> tuple[int, str]:
        """Return the offset and text to send now; the same again until `sent` is called."""
        with self._lock:
            if not self._pieces:
                self._mark_gap()
            if self._sent_length == 0:
                taken: list[bytes] = []
                while self._pieces and sum(map(len, taken)) + len(self._pieces[0]) <= _PIECE_BYTES:
                    taken.append(self._pieces.popleft())
                if not taken:
                    return self._offset, ""
                self._pieces.appendleft(b"".join(taken))
                self._sent_length = len(self._pieces[0])
            return self._offset, self._pieces[0].decode()

    def _mark_gap(self) -> None:
        if self._left_out_bytes:
            self._push(f"[{self._left_out_bytes} bytes of log left out here]\n".encode())
            self._left_out_bytes = 0

    def _push(self, data: bytes) -> None:
        # Small pieces are joined, but never to the first, which may be on its way.
        if len(self._pieces) > 1 and len(self._pieces[-1]) + len(data) <= 4096:
            self._pieces[-1] += data
        else:
            self._pieces.extend(_pieces(data))
        self._unsent_bytes += len(data)

    def sent(self) -> None:
        """Say that the piece has arrived."""
        with self._lock:
            if self._sent_length:
                self._pieces.popleft()
                self._offset += self._sent_length
                self._unsent_bytes -= self._sent_length
                self._sent_length = 0


def _pieces(data: bytes) -> list[bytes]:
    """Cut at character borders."""
    pieces = []
    while len(data) > _PIECE_BYTES:
        cut = _PIECE_BYTES
        while data[cut] & 0xC0 == 0x80:
            cut -= 1
        pieces.append(data[:cut])
        data = data[cut:]
    return [*pieces, data]


class LineDecoder:
    """Turns a process's raw output into text, whole lines at a time, so that processes do not mix within a line."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._rest = ""

    def feed(self, data: bytes) -> str:
        """Return the lines that are whole now; a carriage return (a progress bar's) also ends one."""
        text = self._rest + self._decoder.decode(data)
        cut = max(text.rfind("\n"), text.rfind("\r")) + 1
        if cut == 0 and len(text) > _LINE_BYTES:
            cut = len(text)
        self._rest = text[cut:]
        return text[:cut]

    def flush(self) -> str:
        """Return what is left."""
        text = self._rest + self._decoder.decode(b"", final=True)
        self._rest = ""
        self._decoder.reset()
        return text + "\n" if text else ""
