"""Digests a raw dataset: a stat walk decides which files must be read, threads read them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from handler_runner.failure import FailureClass, WorkFailed
from handler_runner.file_hash import hash_file
from handler_runner.kept_listings import KeptListings
from handler_runner.printable import printable_path
from handler_runner.raw_listing import RawFile, RawListing
from handler_runner.raw_walk import walk
from handler_runner.stat_cache import FileStat, StatCache

log = structlog.get_logger()

# What is hashed is remembered at least so often: a killed runner repeats no more than this.
_BATCH_FILES = 512
_BATCH_BYTES = 1024**3
# Some 500 bytes of memory each.
_REMEMBERED_FILES = 50_000


class Snapshots:
    """Walks raw datasets, one walk at a time for each; keeps hashes and listings below ``home``."""

    def __init__(self, home: Path, threads: int) -> None:
        self._threads = max(2, threads)
        self._cache = StatCache(home / "stat_cache.sqlite")
        self._listings = KeptListings(home / "listings")
        self._locks: dict[bytes, threading.Lock] = {}
        self._remembering = threading.Lock()
        self._last: dict[bytes, tuple[dict[bytes, FileStat], RawListing]] = {}

    def take(
        self,
        root: Path,
        progress: Callable[[int, int], None] = lambda files_done, file_count: None,
        cancelled: threading.Event | None = None,
    ) -> RawListing:
        """Walk and hash; ``progress`` hears of files done and files there are.

        Raises `WorkFailed` (RAW_MISSING) for a folder that is missing, empty or not readable, and `WalkCancelled`.
        """
        cancelled = cancelled or threading.Event()
        key = os.fsencode(root)
        with self._locks.setdefault(key, threading.Lock()):
            listing = self._hashed(key, time.time_ns(), progress, cancelled)
        self._listings.keep(listing)
        return listing

    def listing(self, digest: str) -> RawListing | None:
        """Return the files that a digest stood for, where a walk of this runner found it."""
        return self._listings.find(digest)

    def _hashed(
        self, root: bytes, walk_time_ns: int, progress: Callable[[int, int], None], cancelled: threading.Event
    ) -> RawListing:
        try:
            stats = walk(root, lambda problem: log.warning("raw_walk", problem=problem))
        except OSError as error:
            raise _unreadable(error, root) from error
        if not stats:
            raise WorkFailed(
                FailureClass.RAW_MISSING,
                f"the raw folder {printable_path(root)} holds no files; put the photos there and ask again.",
            )
        last_stats, last_listing = self._last.get(root, ({}, RawListing(())))
        if stats == last_stats:
            progress(len(stats), len(stats))
            return last_listing
        known = self._cache.load(root)
        files, changed = [], []
        for path, now in stats.items():
            cached = known.get(path)
            if cached is not None and cached[0] == now:
                files.append(RawFile(path, now[0], cached[1]))
            else:
                changed.append(path)
        self._cache.forget(root, known.keys() - stats.keys())
        counter = _Counter(len(files), len(stats), progress)
        counter.add(0)
        changed.sort()

        def counted(path: bytes) -> tuple[RawFile, FileStat | None] | None:
            try:
                return hash_file(root, path, walk_time_ns, cancelled)
            except OSError as error:
                raise _unreadable(error, os.path.join(root, path)) from error
            finally:
                counter.add(1)

        with ThreadPoolExecutor(self._threads, thread_name_prefix="hash") as pool:
            for batch in _batches(changed, stats):
                # Not pool.map: after a cancel the others should end soon, which each sees for itself.
                hashed = [pool.submit(counted, path) for path in batch]
                results = [future.result() for future in hashed]
                there = [result for result in results if result is not None]
                self._cache.remember(root, [(file.path, facts, file.sha256) for file, facts in there if facts])
                files.extend(file for file, _ in there)
        listing = RawListing.of(files)
        if not changed:
            # All of them calm: the next walk need not even look into the cache when it finds the same.
            self._remember(root, stats, listing)
        return listing

    def _remember(self, root: bytes, stats: dict[bytes, FileStat], listing: RawListing) -> None:
        with self._remembering:
            self._last.pop(root, None)
            self._last[root] = stats, listing
            while sum(len(last[0]) for last in self._last.values()) > _REMEMBERED_FILES:
                del self._last[next(iter(self._last))]


class _Counter:
    """Counts files over threads and tells at most ten times a second."""

    def __init__(self, done: int, total: int, tell: Callable[[int, int], None]) -> None:
        self._done, self._total, self._tell = done, total, tell
        self._lock = threading.Lock()
        self._told = 0.0

    def add(self, count: int) -> None:
        with self._lock:
            self._done += count
            now = time.monotonic()
            if now - self._told < 0.1 and self._done < self._total:
                return
            self._told = now
            self._tell(self._done, self._total)


def _batches(paths: list[bytes], stats: dict[bytes, FileStat]) -> list[list[bytes]]:
    batches: list[list[bytes]] = []
    size_bytes = 0
    for path in paths:
        if not batches or len(batches[-1]) >= _BATCH_FILES or size_bytes >= _BATCH_BYTES:
            batches.append([])
            size_bytes = 0
        batches[-1].append(path)
        size_bytes += stats[path][0]
    return batches


def _unreadable(error: OSError, path: bytes) -> WorkFailed:
    if isinstance(error, FileNotFoundError):
        message = f"the raw folder {printable_path(path)} is missing; put it back and ask again."
    else:
        message = f"{printable_path(path)} cannot be read ({error.strerror}); let the runner read it, or remove it."
    return WorkFailed(FailureClass.RAW_MISSING, message)
