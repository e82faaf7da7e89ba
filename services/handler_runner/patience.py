"""Waits out what passes by itself: a store that is down, a disk that is full, a registry that is away."""

from __future__ import annotations

import asyncio
import errno
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from handler_runner.failure import FailureClass, WorkFailed
from handler_runner.progress import WorkProgress
from service_kit.object_store import ObjectStoreError, StoreFull, StoreUnavailable

Result = TypeVar("Result")

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
_FULL = (errno.ENOSPC, errno.EDQUOT)


async def patiently(
    progress: WorkProgress,
    attempt: Callable[[], Awaitable[Result]],
    *,
    first_pause_s: float = FIRST_PAUSE_S,
    longest_pause_s: float = LONGEST_PAUSE_S,
) -> Result:
    """Try until it succeeds, with growing pauses, as long as the reason is one that passes; say for what it waits.

    Other errors rise at once; cancelling ends the waiting. A refusal of the store becomes `WorkFailed` (TRANSIENT_IO).
    """
    pause_s = first_pause_s
    with progress.waiting() as wait_for:
        while True:
            try:
                return await attempt()
            except (StoreUnavailable, StoreFull) as error:
                wait_for(error.message)
            except ObjectStoreError as error:
                raise WorkFailed(FailureClass.TRANSIENT_IO, error.message) from error
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                wait_for(f"no space is left for {error.filename or 'a file'}: {error.strerror}")
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, longest_pause_s)


async def wait_for_space(progress: WorkProgress, folder: Path, needed_bytes: int) -> None:
    """Wait until ``folder`` has the space, looking each second."""
    with progress.waiting() as wait_for:
        while (free_bytes := shutil.disk_usage(folder).free) < needed_bytes:
            wait_for(f"space on {folder}: {_megabytes(free_bytes)} free, at least {_megabytes(needed_bytes)} needed")
            await asyncio.sleep(1.0)


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"
