"""The sha256 of bytes as they come, computed beside the work that brings them."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

# Small pieces are hashed faster than they are handed over.
ALONGSIDE_BYTES = 1 << 18
MAX_WAITING = 8
# With two, receiving and the rest of the machine keep both busy.
ENOUGH_CORES = 3


class RunningHash:
    """Hashes large pieces in a thread of its own: hashing costs as much time as receiving, and needs no lock."""

    def __init__(self, alongside: bool | None = None) -> None:
        """``alongside`` None: if the machine has cores for it."""
        self._alongside = (os.cpu_count() or 1) >= ENOUGH_CORES if alongside is None else alongside
        self._sha256 = hashlib.sha256()
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()

    def update(self, data: bytes | memoryview) -> None:
        """Add the next bytes, which must not change any more."""
        if not self._alongside or (len(data) < ALONGSIDE_BYTES and not self._waiting):
            self._sha256.update(data)
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="darkroom-hash")
        self._waiting.append(self._thread.submit(self._sha256.update, data))
        # Bounded, or a slow processor would fill the memory.
        if len(self._waiting) > MAX_WAITING:
            self._waiting.popleft().result()

    def hexdigest(self) -> str:
        """Return the digest of all bytes so far."""
        while self._waiting:
            self._waiting.popleft().result()
        return self._sha256.hexdigest()

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
