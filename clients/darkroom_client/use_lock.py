"""Marks a cached dataset as in use, for as long as any process reads it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class UseLock:
    """A shared lock of readers that the collector takes alone; it ends with its process, however that ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def share(self) -> UseLock:
        """Hold the lock beside other readers; waits while the collector works."""
        self._lock(fcntl.LOCK_SH)
        return self

    def take_alone(self) -> bool:
        """Hold the lock alone; False when a reader holds it."""
        try:
            self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def survive_exec(self) -> None:
        """Let the program that replaces this process go on holding the lock."""
        if self._descriptor is not None:
            os.set_inheritable(self._descriptor, True)

    def release(self) -> None:
        """Let go; harmless when nothing is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __del__(self) -> None:
        self.release()

    def _lock(self, operation: int) -> None:
        self.release()
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError:
            # A cache that may only be read can still be locked.
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, operation)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
