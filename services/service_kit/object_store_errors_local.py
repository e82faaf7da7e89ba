"""What the operating system's errors mean for an object store in a folder."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from service_kit.object_store import ObjectStoreError, StoreFull, StoreRefused, StoreUnavailable

_FULL = {errno.ENOSPC, errno.EDQUOT}
_AWAY = {errno.EIO, errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN}
# What a writer had begun is not there any more: a clock that was set made it look old to the sweeper.
_GONE = errno.ENOENT
_IN_THE_WAY = {errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY, errno.EEXIST}
_NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextlib.contextmanager
def file_errors(root: Path, name: str) -> Iterator[None]:
    """Turn an `OSError` about the store's files into the store's error; others pass."""
    try:
        yield
    except OSError as error:
        meaning = _meaning(error, root, name)
        if meaning is None:
            raise
        raise meaning from error


def _meaning(error: OSError, root: Path, name: str) -> ObjectStoreError | None:
    if isinstance(error.filename, str) and not Path(error.filename).is_relative_to(root):
        # The caller's own file, a part to put: nothing is wrong with the store.
        return None
    cause = f"{name!r} in {root}: {error.strerror}"
    metadata = {"store": str(root)}
    if error.errno in _FULL:
        return StoreFull(f"no space for {cause}; {_free_bytes(root)} bytes are free there", metadata=metadata)
    if error.errno in _AWAY:
        return StoreUnavailable(f"cannot reach {cause}", metadata=metadata)
    if error.errno == _GONE:
        return StoreUnavailable(f"somebody removed what was being written, {cause}", metadata=metadata)
    if error.errno in _IN_THE_WAY:
        return StoreRefused(f"{cause}; an object's name cannot also be a folder of other objects", metadata=metadata)
    if error.errno in _NO_RIGHT:
        return StoreRefused(f"{cause}; this user needs the right to read and write there", metadata=metadata)
    return None


def _free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0
