"""Recognises a limit of the sandbox in what a handler's exception says: the kernel only said no."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from handler_runner.executor import CommandFailed
from handler_runner.sandbox_limits import LimitReached, SandboxLimits

_NO_THREAD = "can't start new thread"
_SMALL = LimitReached("the size of /tmp or /dev/shm", "64 MiB", "fixed; its own folder, TMPDIR, may hold more")


def limit_behind(error: CommandFailed, limits: SandboxLimits, folder: Path) -> LimitReached | None:
    """Return the limit that made a confined command fail, if one did; ``folder`` is where it may write."""
    said = error.message + error.traceback
    if error.error_class == "OUT_OF_MEMORY":
        return limits.process_memory()
    if _says(said, errno.EFBIG):
        return limits.file()
    if _says(said, errno.EMFILE):
        return limits.files_open()
    if _NO_THREAD in said or (error.error_class == "TRANSIENT_IO" and _says(said, errno.EAGAIN)):
        return limits.process_count()
    if _says(said, errno.ENOSPC) and shutil.disk_usage(folder).free > limits.free_bytes:
        return _SMALL
    return None


def _says(said: str, number: int) -> bool:
    return f"[Errno {number}]" in said
