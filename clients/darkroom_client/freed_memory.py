"""Lets a short-lived process that moves many megabytes keep the memory it frees."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
KEPT_BYTES = 1 << 28


def keep_freed_memory() -> None:
    """Stop glibc from giving each freed chunk back to the kernel, which would clear it again for the next one.

    That takes a third of a download's time. For the command only: a training should decide about its own memory.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
