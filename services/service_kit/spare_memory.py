"""Gives free memory back to the machine: after a crowd or a huge photo the allocator keeps hundreds of MB."""

from __future__ import annotations

import ctypes
import sys
import threading
import time

LEAST_PAUSE_S = 1.0


class SpareMemory:
    """The allocator's free memory; any thread may give it back. Does nothing where the C library is not glibc."""

    def __init__(self) -> None:
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
        self._lock = threading.Lock()
        self._last_s = 0.0

    def give_back(self) -> None:
        """Give it back, unless that was done just now: small photos come many in a second."""
        if self._trim is None or not self._lock.acquire(blocking=False):
            return
        try:
            if time.monotonic() - self._last_s > LEAST_PAUSE_S:
                self._trim(0)
                self._last_s = time.monotonic()
        finally:
            self._lock.release()
