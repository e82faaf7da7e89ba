"""Folders that are made once, whoever asks and however many at once, and kept within limits.

A folder is published by rename, so it is whole or not there. Whoever uses it holds its lock file shared; whoever makes
or removes it holds it alone. Locks end with their process, so a kill leaves only what the next start removes.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

_NEW, _OLD, _LOCKS = ".new", ".old", ".locks"
# So many are flushed one by one.
_FEW_PATHS = 100


class Held:
    """A folder in use: it stays until `release`, which may be called again."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def measure(self) -> None:
        """Note how many bytes it has now: for a folder that grows while it is kept."""
        with self._lock:
            if self._descriptor >= 0:
                _note_size(self._descriptor, self.path)

    def release(self) -> None:
        """Say that this use of the folder is over."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Held:
        return self

    def __exit__(self, *error: object) -> None:
        self.release()


class KeptFolders:
    """The folders by name below ``home``; threads and processes may share it."""

    def __init__(self, home: Path, max_count: int, max_bytes: int) -> None:
        """What an earlier life left half made is removed."""
        self._home, self._max_count, self._max_bytes = home, max_count, max_bytes
        for name in (_NEW, _OLD, _LOCKS):
            (home / name).mkdir(parents=True, exist_ok=True)
        for path in (home / _NEW).iterdir():
            with self._alone(path.name) as alone:
                if alone:
                    shutil.rmtree(path, ignore_errors=True)
        for path in (home / _OLD).iterdir():
            shutil.rmtree(path, ignore_errors=True)

    def hold(self, name: str, make: Callable[[Path], None]) -> Held:
        """Return the folder, made by ``make(folder)`` if it is missing; what ``make`` raises is raised here.

        ``make`` is called by one caller at a time, and not again once it has succeeded.
        """
        path = self._home / name
        while True:
            descriptor = self._open(name)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            if not self._is_current(name, descriptor):
                os.close(descriptor)
                continue
            if path.is_dir():
                # Its last use, for the order of removal.
                os.utime(descriptor)
                return Held(path, descriptor)
            os.close(descriptor)
            self._make(name, path, make)

    def trim(self) -> None:
        """Remove those used longest ago while there are too many or too large ones; never one that is held."""
        kept: list[tuple[float, str, int]] = []
        for lock in (self._home / _LOCKS).iterdir():
            with contextlib.suppress(OSError, ValueError):
                if (self._home / lock.name).is_dir():
                    kept.append((lock.stat().st_mtime, lock.name, int(lock.read_text() or 0)))
        count, kept_bytes = len(kept), sum(each[2] for each in kept)
        for _, name, its_bytes in sorted(kept):
            if count <= self._max_count and kept_bytes <= self._max_bytes:
                return
            if self._remove(name):
                count, kept_bytes = count - 1, kept_bytes - its_bytes

    def _make(self, name: str, path: Path, make: Callable[[Path], None]) -> None:
        descriptor = self._open(name)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not self._is_current(name, descriptor) or path.is_dir():
                return
            new = self._home / _NEW / name
            shutil.rmtree(new, ignore_errors=True)
            try:
                make(new)
                _note_size(descriptor, new)
                _flush(new)
                new.rename(path)
            except BaseException:
                shutil.rmtree(new, ignore_errors=True)
                raise
        finally:
            os.close(descriptor)

    def _remove(self, name: str) -> bool:
        with self._alone(name) as alone:
            if not alone:
                return False
            old = self._home / _OLD / f"{name}.{os.getpid()}.{threading.get_ident()}"
            with contextlib.suppress(FileNotFoundError):
                (self._home / name).rename(old)
            (self._home / _LOCKS / name).unlink(missing_ok=True)
        shutil.rmtree(old, ignore_errors=True)
        return True

    @contextlib.contextmanager
    def _alone(self, name: str) -> Iterator[bool]:
        """Hold the name alone if nobody else holds it now."""
        descriptor = self._open(name)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                alone = self._is_current(name, descriptor)
            except BlockingIOError:
                alone = False
            yield alone
        finally:
            os.close(descriptor)

    def _open(self, name: str) -> int:
        return os.open(self._home / _LOCKS / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def _is_current(self, name: str, descriptor: int) -> bool:
        """Whether the lock file is still the one of that name: a removal unlinks it."""
        try:
            return os.path.samestat(os.fstat(descriptor), (self._home / _LOCKS / name).stat())
        except FileNotFoundError:
            return False


def _flush(folder: Path) -> None:
    """Have the disk hold all of it: what is published must outlive the machine's fall as well."""
    paths = [folder, *itertools.islice(folder.rglob("*"), _FEW_PATHS)]
    if len(paths) > _FEW_PATHS:
        # Waits for what all others on the machine have written, too.
        os.sync()
        return
    for path in paths:
        if not path.is_symlink():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _note_size(descriptor: int, folder: Path) -> None:
    # One write of one length, so that whoever reads meanwhile reads a whole number.
    os.pwrite(descriptor, f"{size_bytes(folder):<20}".encode(), 0)


def size_bytes(folder: Path) -> int:
    """Return what a folder takes on the disk; what vanishes meanwhile takes nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(parent, name)).st_blocks * 512
    return total
