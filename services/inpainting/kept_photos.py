"""Keeps photos that are too large for a message, by the digest of their bytes, within bounds of room and age."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path

from service_kit.errors import InvalidArgument, NotFound, ResourceExhausted

PREFIX = "photos/"
CHUNK_BYTES = 1 << 20
_NAME = re.compile(r"photos/([0-9a-f]{64})")
_PARTIAL = ".partial-"


class TooManyBytes(ResourceExhausted):
    """A file is over its limit, and will be so next time."""

    reason = "TOO_MANY_BYTES"
    retry_after_s = None


class KeptPhotos:
    """Files in a folder; any thread may call. A photo that is being read stays readable while it is removed."""

    def __init__(self, folder: Path, max_bytes: int, max_age_s: float, max_photo_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self.max_age_s = max_age_s
        self._max_photo_bytes = max_photo_bytes
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{_PARTIAL}*"):
            left.unlink(missing_ok=True)

    def keep(self, data: bytes) -> str:
        """Keep the bytes and return their name, ``photos/{sha256}``."""
        incoming = self.begin()
        try:
            incoming.write(data)
            return incoming.finish()
        finally:
            incoming.close()

    def begin(self) -> Incoming:
        """Return a place for a photo that comes in chunks; close it in any case."""
        return Incoming(self, self._folder / f"{_PARTIAL}{secrets.token_hex(8)}", self._max_photo_bytes)

    def open(self, name: str) -> int:
        """Return a file descriptor to read the photo from, and count that as a use. Raises `NotFound`."""
        path = self._path(name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NotFound(
                f"{name} is not kept any more: {self.max_age_s:.0f} s after its last use a photo goes, and when room "
                "is short; upload it again"
            ) from None
        with suppress(FileNotFoundError):
            os.utime(path)
        return descriptor

    def read(self, name: str) -> bytes:
        """Return the photo's bytes. Raises `NotFound`."""
        with os.fdopen(self.open(name), "rb") as file:
            return file.read()

    def chunks(self, name: str) -> Generator[bytes]:
        """Yield the photo's bytes in chunks of at most 1 MiB. Raises `NotFound` before the first."""
        with os.fdopen(self.open(name), "rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def collect(self) -> int:
        """Remove what is too old, then the longest unused until the rest fits; return how many went."""
        with self._lock:
            now_s = time.time()
            found = sorted(self._files(), key=lambda each: each[0])
            total_bytes = sum(size_bytes for _, size_bytes, _ in found)
            removed = 0
            for used_s, size_bytes, path in found:
                if total_bytes <= self._max_bytes and now_s - used_s <= self.max_age_s:
                    break
                path.unlink(missing_ok=True)
                total_bytes -= size_bytes
                removed += 1
            return removed

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                facts = path.stat()
                if not path.name.startswith(_PARTIAL):
                    yield facts.st_mtime, facts.st_size, path

    def _path(self, name: str) -> Path:
        found = _NAME.fullmatch(name)
        if not found:
            raise InvalidArgument.of([("name", f"{name[:200]!r} is no kept photo; those are called photos/SHA256")])
        return self._folder / found[1]

    def _publish(self, partial: Path, digest: str) -> str:
        with self._lock:
            partial.replace(self._folder / digest)
        self.collect()
        return PREFIX + digest


class Incoming:
    """A photo on its way in; nobody sees it before `finish`."""

    def __init__(self, kept: KeptPhotos, path: Path, max_bytes: int) -> None:
        self._kept = kept
        self._path = path
        self._max_bytes = max_bytes
        self._digest = hashlib.sha256()
        self._file = path.open("xb")
        self.size_bytes = 0

    def write(self, chunk: bytes) -> None:
        """Append a chunk. Raises `TooManyBytes` for more bytes than a photo may have."""
        self.size_bytes += len(chunk)
        if self.size_bytes > self._max_bytes:
            raise TooManyBytes(f"a photo's file may have {self._max_bytes:,} bytes, this one has more")
        self._digest.update(chunk)
        self._file.write(chunk)

    def finish(self, check: Callable[[Path], None] = lambda path: None) -> str:
        """Keep it, if ``check`` lets its file pass, and return its name. Raises `InvalidArgument` for no bytes."""
        if not self.size_bytes:
            raise InvalidArgument.of([("chunk", "no bytes came")])
        self._file.close()
        check(self._path)
        return self._kept._publish(self._path, self._digest.hexdigest())

    def close(self) -> None:
        """Forget what was not finished."""
        self._file.close()
        self._path.unlink(missing_ok=True)
