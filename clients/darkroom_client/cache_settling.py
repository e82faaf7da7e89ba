"""Lets a download be used before the disk has its bytes, and doubts it after a power cut.

Waiting for the disk takes as long as the download itself. So a mark says, until the bytes are there, in which run of
the system they came: `{cache}/unsettled/{digest}.{boot}.{token}`. While that run lasts its memory is as good as the
disk. A mark of an earlier run means that the machine went down meanwhile: its dataset is read through before it is
used again. Where the system gives its runs no names, the disk is waited for.
"""

from __future__ import annotations

import os
import threading
import uuid
from contextlib import suppress
from pathlib import Path

from filelock import Timeout

from darkroom_client.cache import Cache
from darkroom_client.manifest import Manifest
from darkroom_client.shard_file import is_sound

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# No run has this name: what bears it is doubted from now on.
_BROKEN = "broken"


class Settling:
    """One dataset's marks."""

    def __init__(self, cache: Cache, digest: str) -> None:
        self._cache = cache
        self._digest = digest
        self._folder = cache.folder / "unsettled"
        self._boot = boot_id()
        self._own: Path | None = None

    def is_doubtful(self) -> bool:
        """Return whether bytes came in a run of the system that ended before the disk had them."""
        return any(mark.name.split(".")[1] != self._boot for mark in self._marks())

    def drop_damaged(self, folder: Path, manifest: Manifest) -> None:
        """Remove the shards of a doubtful folder whose bytes are wrong."""
        for shard in manifest.shards:
            if not is_sound(folder, shard):
                (folder / shard.name).unlink(missing_ok=True)

    def begin(self) -> None:
        """Mark the dataset, durably, before its first byte is written."""
        if not self._boot:
            return
        if not self._folder.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            sync(self._cache.folder)
        self._own = self._folder / f"{self._digest}.{self._boot}.{uuid.uuid4().hex}"
        self._own.touch()
        for older in self._marks():
            # What was doubted has been looked at; the mark of this run stands for all.
            if older != self._own:
                older.unlink(missing_ok=True)
        sync(self._folder)

    def before_publishing(self, folder: Path) -> None:
        """Wait for the disk, where there is no mark."""
        if self._own is None:
            sync_all(folder)

    def settle_soon(self, folder: Path) -> None:
        """Take the marks away in the background, once the disk has the folder's bytes."""
        if self._own is not None or self._marks():
            threading.Thread(target=self._settle, args=[folder], name="darkroom-settle", daemon=True).start()

    def _settle(self, folder: Path) -> None:
        # A cache that may only be read keeps its marks.
        with suppress(OSError, Timeout):
            if self._own is not None:
                self._sync_and_unmark(folder, [self._own])
                return
            # Whoever downloads now holds the lock, and has a mark that is not ours to take.
            with self._cache.download_lock(self._digest).acquire(timeout=0):
                self._sync_and_unmark(folder, self._marks())

    def _sync_and_unmark(self, folder: Path, marks: list[Path]) -> None:
        try:
            sync_all(folder)
        except FileNotFoundError:
            # Collected meanwhile, or only a damaged shard was taken away: then the next use settles the rest.
            if folder.exists():
                return
        except OSError:
            for mark in marks:
                mark.rename(mark.with_name(f"{self._digest}.{_BROKEN}.{uuid.uuid4().hex}"))
            return
        for mark in marks:
            mark.unlink(missing_ok=True)

    def _marks(self) -> list[Path]:
        return list(self._folder.glob(f"{self._digest}.*.*"))


def boot_id() -> str:
    """Return the name of the system's present run, new after each start; empty where there is none."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def sync_all(folder: Path) -> None:
    """Make all of a folder durable: its files, their names, and its own name."""
    for entry in os.scandir(folder):
        sync(Path(entry.path))
    sync(folder)
    sync(folder.parent)


def sync(path: Path) -> None:
    """Make a file's bytes, or a folder's names, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
