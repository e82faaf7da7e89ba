"""What a raw dataset holds: each file's path, size and content hash, with one digest over all."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from handler_runner.printable import printable_path

# A path may hold anything but NUL, newlines included, so a line is found by its other fields.
_LINE = re.compile(rb"([^\0]+)\0(\d+)\0([0-9a-f]{64})\n")


class RawFile(NamedTuple):
    """One file; ``path`` is relative to the raw dataset, as the file system spells it."""

    path: bytes
    size_bytes: int
    sha256: bytes


@dataclass(frozen=True)
class Changes:
    """How one listing differs from an older one."""

    added: tuple[bytes, ...]
    removed: tuple[bytes, ...]
    changed: tuple[bytes, ...]

    def describe(self, limit: int = 20) -> str:
        """Name the files, at most ``limit`` of them: ``changed a.jpg; removed b.jpg; and 3 more``."""
        parts: list[str] = []
        left = limit
        for verb, paths in (("changed", self.changed), ("removed", self.removed), ("added", self.added)):
            if paths and left:
                parts.append(f"{verb} " + ", ".join(printable_path(path) for path in paths[:left]))
                left = max(0, left - len(paths))
        more = len(self.added) + len(self.removed) + len(self.changed) - limit
        return "; ".join(parts) + (f"; and {more} more" if more > 0 else "")


@dataclass(frozen=True)
class RawListing:
    """The files in the order of their paths' bytes."""

    files: tuple[RawFile, ...]

    @classmethod
    def of(cls, files: Iterable[RawFile]) -> RawListing:
        """Return the listing of files given in any order."""
        return cls(tuple(sorted(files)))

    @cached_property
    def _lines(self) -> bytes:
        return b"".join(b"%b\0%d\0%b\n" % (path, size, sha256.hex().encode()) for path, size, sha256 in self.files)

    @cached_property
    def digest(self) -> str:
        """sha256 over ``{path}\\0{size}\\0{sha256}\\n`` of each file, 64 hex digits."""
        return hashlib.sha256(self._lines).hexdigest()

    @property
    def size_bytes(self) -> int:
        """Bytes of all files."""
        return sum(file.size_bytes for file in self.files)

    def changes_since(self, older: RawListing) -> Changes:
        """Return what was added, removed and changed."""
        before = {file.path: file for file in older.files}
        now = {file.path: file for file in self.files}
        return Changes(
            added=tuple(path for path in now if path not in before),
            removed=tuple(path for path in before if path not in now),
            changed=tuple(path for path, file in now.items() if path in before and before[path] != file),
        )

    def packed(self) -> bytes:
        """Return the compressed lines whose digest is the listing's."""
        return gzip.compress(self._lines, compresslevel=1, mtime=0)

    @classmethod
    def unpacked(cls, data: bytes, digest: str) -> RawListing | None:
        """Return the listing of that digest, or None where the bytes are of another or damaged."""
        try:
            lines = gzip.decompress(data)
        except (OSError, EOFError, ValueError):
            return None
        if hashlib.sha256(lines).hexdigest() != digest:
            return None
        return cls(
            tuple(RawFile(path, int(size), bytes.fromhex(hexed.decode())) for path, size, hexed in _LINE.findall(lines))
        )
