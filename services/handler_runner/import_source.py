"""Reads objects of a store that belong together as one file that can be sought in, without a copy on disk."""

from __future__ import annotations

import io
from bisect import bisect_right
from itertools import accumulate

from service_kit.object_store import ObjectMissing, ObjectStore

_BUFFER_BYTES = 1 << 20


def open_joined(store: ObjectStore, prefix: str) -> io.BufferedReader:
    """Return the objects whose names begin so, joined in the names' order. Raises `ObjectMissing` for none."""
    return io.BufferedReader(_Joined(store, prefix), _BUFFER_BYTES)


class _Joined(io.RawIOBase):
    """The raw file; an error of the store rises as it is."""

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        found = sorted(store.list(prefix), key=lambda each: each.name)
        if not found:
            raise ObjectMissing(prefix)
        self._store = store
        self._names = [each.name for each in found]
        # The first byte of each, and at last the end.
        self._starts = [0, *accumulate(each.size_bytes for each in found)]
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._starts[-1]}[whence]
        if base + offset < 0:
            raise ValueError(f"position {base + offset} lies before the beginning")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._position >= self._starts[-1]:
            return 0
        number = bisect_right(self._starts, self._position) - 1
        offset = self._position - self._starts[number]
        size_bytes = min(len(buffer), self._starts[number + 1] - self._position)
        filled = 0
        for chunk in self._store.read(self._names[number], offset, size_bytes):
            buffer[filled : filled + len(chunk)] = chunk
            filled += len(chunk)
        self._position += filled
        return filled
