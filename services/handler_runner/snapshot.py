"""Digests a raw dataset: a stat walk decides which files must be read, threads read them."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import structlog

from handler_runner.failure import FailureClass, WorkFailed
from handler_runner.printable import printable_path
from handler_runner.raw_listing import RawFile, RawListing
from handler_runner.raw_walk import walk
from handler_runner.stat_cache import FileStat, StatCache

log = structlog.get_logger()

# A file changed so shortly before the walk may change again without its times showing it.
UNTRUSTED_NS = 2_000_000_000
_CHUNK_BYTES = 1024 * 1024
# What is hashed is remembered at least so often: a killed runner repeats no more than this.
_BATCH_FILES = 512
_BATCH_BYTES = 1024**3
_KEPT_LISTINGS = 64


@dataclass(frozen=True)
class Snapshot:
    """What a walk found; ``walk_time_s`` is when it began, since the epoch."""

    listing: RawListing
    walk_time_s: float


class WalkCancelled(Exception):
    """Nobody waits for the walk any more."""


class Snapshots:
    """Walks raw datasets, one walk at a time for each; keeps hashes and listings below ``home``."""

    def __init__(self, home: Path, threads: int) -> None:
        self._home = home
        self._threads = max(2, threads)
        self._cache = StatCache(home / "stat_cache.sqlite")
        self._locks: dict[bytes, threading.Lock] = {}

    def take(
        self,
        root: Path,
        progress: Callable[[int, int], None] = lambda files_done, file_count: None,
        cancelled: threading.Event | None = None,
    ) -> Snapshot:
        """Walk and hash; ``progress`` hears of files done and files there are.

        Raises `WorkFailed` (RAW_MISSING) for a folder that is missing, empty or not readable, and `WalkCancelled`.
        """
        cancelled = cancelled or threading.Event()
        key = os.fsencode(root)
        with self._locks.setdefault(key, threading.Lock()):
            walk_time_ns = time.time_ns()
            listing = self._hashed(key, walk_time_ns, progress, cancelled)
        self._keep(listing)
        return Snapshot(listing, walk_time_ns / 1e9)

    def listing(self, digest: str) -> RawListing | None:
        """Return the files that a digest stood for, where a walk of this runner found it."""
        try:
            return RawListing.unpacked(self._listing_path(digest).read_bytes(), digest)
        except OSError:
            return None

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
        known = self._cache.load(root)
        files, changed = [], []
        for path, now in stats.items():
            cached = known.get(path)
            if cached is not None and cached[0] == now:
                files.append(RawFile(path, now.size_bytes, cached[1]))
            else:
                changed.append(path)
        self._cache.forget(root, known.keys() - stats.keys())
        counter = _Counter(len(files), len(stats), progress)
        counter.add(0)
        changed.sort()
        with ThreadPoolExecutor(self._threads, thread_name_prefix="hash") as pool:
            for batch in _batches(changed, stats):
                # Not pool.map: after a cancel the others should end soon, which each sees for itself.
                hashed = [pool.submit(_hash_file, root, path, walk_time_ns, counter, cancelled) for path in batch]
                results = [future.result() for future in hashed]
                there = [result for result in results if result is not None]
                self._cache.remember(root, [(file.path, facts, file.sha256) for file, facts in there if facts])
                files.extend(file for file, _ in there)
        return RawListing.of(files)

    def _listing_path(self, digest: str) -> Path:
        return self._home / "listings" / f"{digest}.gz"

    def _keep(self, listing: RawListing) -> None:
        path = self._listing_path(listing.digest)
        try:
            if path.exists():
                os.utime(path)
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{threading.get_ident()}.partial")
            partial.write_bytes(listing.packed())
            partial.replace(path)
            kept = sorted(path.parent.iterdir(), key=lambda other: other.stat().st_mtime, reverse=True)
            for old in kept[_KEPT_LISTINGS:]:
                old.unlink(missing_ok=True)
        except OSError as error:
            # Without it a change is still noticed; only its files cannot be named.
            log.warning("listing_not_kept", problem=str(error))


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
        size_bytes += stats[path].size_bytes
    return batches


def _hash_file(
    root: bytes, path: bytes, walk_time_ns: int, counter: _Counter, cancelled: threading.Event
) -> tuple[RawFile, FileStat | None] | None:
    """Return the file with its stat where that may be trusted later; None when the file is gone."""
    for _ in range(3):
        try:
            with open(os.path.join(root, path), "rb", buffering=0) as opened:
                before = FileStat.of(os.fstat(opened.fileno()))
                size_bytes, sha256 = _digest(opened.fileno(), before.size_bytes, cancelled)
                after = FileStat.of(os.fstat(opened.fileno()))
        except FileNotFoundError:
            counter.add(1)
            return None
        except OSError as error:
            raise _unreadable(error, os.path.join(root, path)) from error
        if before == after and size_bytes == after.size_bytes:
            break
    counter.add(1)
    calm = before == after and _changed_ns(after, walk_time_ns) < walk_time_ns - UNTRUSTED_NS
    return RawFile(path, size_bytes, sha256), after if calm else None


def _digest(descriptor: int, expected_bytes: int, cancelled: threading.Event) -> tuple[int, bytes]:
    digest, size_bytes = hashlib.sha256(), 0
    while True:
        if cancelled.is_set():
            raise WalkCancelled
        # Asking for no more than there is keeps small files from costing a large buffer each.
        chunk = os.read(descriptor, min(_CHUNK_BYTES, max(0, expected_bytes - size_bytes) + 1))
        if not chunk:
            return size_bytes, digest.digest()
        digest.update(chunk)
        size_bytes += len(chunk)


def _changed_ns(facts: FileStat, now_ns: int) -> int:
    # A camera's wrong clock may set an mtime in the future; ctime cannot be set, so it alone then speaks.
    return facts.ctime_ns if facts.mtime_ns > now_ns else max(facts.mtime_ns, facts.ctime_ns)


def _unreadable(error: OSError, path: bytes) -> WorkFailed:
    if isinstance(error, FileNotFoundError):
        message = f"the raw folder {printable_path(path)} is missing; put it back and ask again."
    else:
        message = f"{printable_path(path)} cannot be read ({error.strerror}); let the runner read it, or remove it."
    return WorkFailed(FailureClass.RAW_MISSING, message)
