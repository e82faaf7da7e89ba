"""Writes files so that they survive a power cut, and copies them without reading them where the kernel can."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

_COPY_BYTES = 128 << 20
_READ_BYTES = 1 << 20
_NOT_IN_KERNEL = {errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.ETXTBSY}


def append_rest(source: int, target: int, tick: Callable[[], None]) -> None:
    """Append what is left of the source to the target: in the kernel where it can, sharing blocks where it can.

    Both are file descriptors at their positions. A large copy is synced and ticks every 128 MiB.
    """
    copy_in_kernel = getattr(os, "copy_file_range", None)
    while copy_in_kernel:
        try:
            copied = copy_in_kernel(source, target, _COPY_BYTES)
        except OSError as error:
            if error.errno not in _NOT_IN_KERNEL:
                raise
            break
        if not copied:
            break
        if copied == _COPY_BYTES:
            # In steps, or the last sync of a large file would keep the caller waiting without a tick.
            os.fsync(target)
            tick()
    # What the kernel would not copy (two file systems, a special file); after it did, this finds the end at once.
    unsynced_bytes = 0
    while chunk := os.read(source, _READ_BYTES):
        write_all(target, chunk)
        unsynced_bytes += len(chunk)
        if unsynced_bytes >= _COPY_BYTES:
            os.fsync(target)
            unsynced_bytes = 0
            tick()


def write_all(target: int, data: bytes) -> None:
    """Write all of the bytes to the file descriptor."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(target, rest) :]


def sync_folder(folder: Path) -> None:
    """Make the names in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
