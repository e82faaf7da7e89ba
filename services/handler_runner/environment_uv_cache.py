"""Keeps uv's cache within a number of bytes: the packages that were installed longest ago go first."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import structlog

from handler_runner.kept_folders import size_bytes
from handler_runner.uv_command import UvFailed, uv_cache_folder
from service_kit.errors import Unavailable

log = structlog.get_logger()

# The unpacked wheels, each in a folder that nothing changes any more; all else in the cache is small.
_ARCHIVES = "archive-v*/*"


class UvCache:
    """The cache that this runner's uv uses, perhaps together with others on the machine."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._sizes: dict[str, int] = {}

    def trim(self) -> None:
        """Remove packages while there are too many bytes; not while any uv works, and none that is installed breaks.

        An environment has its files as hard links or copies, and uv fetches anew what is gone. A cache that cannot be
        trimmed is logged: nobody's environment fails for it.
        """
        try:
            self._trim()
        except (OSError, UvFailed, Unavailable) as error:
            log.warning("uv_cache_not_trimmed", problem=str(error))

    def _trim(self) -> None:
        folder = uv_cache_folder()
        # Environments would be links into the cache.
        if os.environ.get("UV_LINK_MODE") == "symlink" or not folder.is_dir():
            return
        archives = sorted(folder.glob(_ARCHIVES), key=_last_use)
        self._sizes = {str(path): self._sizes.get(str(path)) or size_bytes(path) for path in archives}
        kept_bytes = sum(self._sizes.values())
        if kept_bytes <= self._max_bytes:
            return
        with _alone(folder) as alone:
            for path in archives if alone else ():
                if kept_bytes <= self._max_bytes:
                    break
                _remove(path)
                kept_bytes -= self._sizes.pop(str(path))
        log.info("uv_cache_trimmed", folder=str(folder), kept_bytes=kept_bytes, max_bytes=self._max_bytes)


def _last_use(archive: Path) -> float:
    """Return when it was last unpacked or installed: linking a file changes its ctime, copying it its atime."""
    newest = 0.0
    for path in (archive, *archive.glob("*.dist-info/*")):
        with contextlib.suppress(FileNotFoundError):
            facts = path.lstat()
            newest = max(newest, facts.st_ctime, facts.st_atime if stat.S_ISREG(facts.st_mode) else 0.0)
    return newest


def _remove(archive: Path) -> None:
    # First out of the way: a half of it must never be taken for all.
    away = archive.with_name(f".tmp-{archive.name}")
    with contextlib.suppress(FileNotFoundError):
        archive.rename(away)
        shutil.rmtree(away, ignore_errors=True)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Hold the lock that each uv holds while it uses the cache, if none holds it now."""
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except BlockingIOError:
            alone = False
        yield alone
    finally:
        os.close(descriptor)
