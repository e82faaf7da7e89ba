"""One shard on its way into the cache: appended, hashed as it comes, and named as whole once its sha256 is right."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from types import TracebackType

from darkroom_client.errors import DiskFull
from darkroom_client.manifest import Shard
from darkroom_client.running_hash import RunningHash

READ_BYTES = 1 << 20


class ShardFile:
    """`{name}.part` in the partial folder; its length is how far an earlier process came."""

    def __init__(self, folder: Path, shard: Shard) -> None:
        self.shard = shard
        self.path = folder / shard.name
        self._part = folder / f"{shard.name}.part"
        self._hash = RunningHash()
        self.size_bytes = 0
        self._descriptor = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        if os.fstat(self._descriptor).st_size > shard.size_bytes:
            self.restart()
        while chunk := os.read(self._descriptor, READ_BYTES):
            self._hash.update(chunk)
            self.size_bytes += len(chunk)

    @property
    def missing_bytes(self) -> int:
        """Bytes still to come."""
        return self.shard.size_bytes - self.size_bytes

    def append(self, data: memoryview) -> None:
        """Write the next bytes. Raises `DiskFull`."""
        self._hash.update(data)
        while data:
            try:
                written = os.pwrite(self._descriptor, data, self.size_bytes)
            except OSError as error:
                raise disk_error(error, self.path.parent) from error
            self.size_bytes += written
            data = data[written:]

    def publish(self) -> bool:
        """Give the whole file its name; False when its sha256 is not the manifest's."""
        if self._hash.hexdigest() != self.shard.sha256:
            return False
        os.replace(self._part, self.path)
        return True

    def restart(self) -> None:
        """Begin again from the first byte."""
        os.ftruncate(self._descriptor, 0)
        self._hash = RunningHash()
        self.size_bytes = 0

    def __enter__(self) -> ShardFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._hash.close()
        os.close(self._descriptor)


def is_sound(folder: Path, shard: Shard) -> bool:
    """Return whether the folder holds the shard with the bytes that the manifest says."""
    try:
        with open(folder / shard.name, "rb", buffering=0) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == shard.sha256
    except FileNotFoundError:
        return False


def disk_error(error: OSError, folder: Path) -> Exception:
    """Return `DiskFull` for an error that means it, else the error itself."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return error
    return DiskFull(
        f"no room for the dataset in {folder}: what came so far is kept; make room (`darkroom cache gc --max-bytes N`) "
        "or name another disk by DARKROOM_CACHE, and ask again"
    )
