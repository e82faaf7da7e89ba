"""Fetches a dataset's shards into the cache, in parallel, verified, and from where an earlier process stopped."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout

from darkroom_client.archive_source import ArchiveSource, Stopped
from darkroom_client.cache import MANIFEST, Cache, manifest_content, touch, wrong_sizes
from darkroom_client.cache_settling import Settling
from darkroom_client.errors import DataLoss, DiskFull
from darkroom_client.manifest import Manifest, Shard
from darkroom_client.shard_file import ShardFile, disk_error

CONCURRENCY = 4
# Streams of one gRPC connection share its threads on both sides: more of them are not faster.
REGISTRY_STREAMS = 2
ATTEMPTS = 3
# Small neighbours share a request, up to so many bytes and files.
GROUP_BYTES = 8 << 20
GROUP_FILES = 64


@dataclass(frozen=True)
class DownloadProgress:
    """How far a download is; ``waiting_for`` says in words what it waits for, if it does."""

    bytes_done: int = 0
    size_bytes: int = 0
    waiting_for: str = ""


class Download:
    """One dataset's way into the cache; `run` may be called by any number of processes at once."""

    def __init__(
        self,
        cache: Cache,
        source: ArchiveSource,
        *,
        on_progress: Callable[[DownloadProgress], None] = lambda progress: None,
        concurrency: int = CONCURRENCY,
    ) -> None:
        self._cache = cache
        self._source = source
        self._on_progress = on_progress
        self._concurrency = concurrency
        self._lock = threading.Lock()
        self._streams = threading.Semaphore(concurrency)
        self._bytes_done = 0
        self._size_bytes = 0

    def run(self, digest: str) -> Path:
        """Return the folder of the whole dataset; what was there already is not fetched again.

        Raises `DataLoss` for bytes that stay wrong, `DiskFull`, `Unavailable`, `Stopped`.
        """
        self._settling = Settling(self._cache, digest)
        if folder := self._find(digest):
            return folder
        lock = self._cache.download_lock(digest)
        while True:
            try:
                lock.acquire(timeout=0.5)
                break
            except Timeout:
                self._on_progress(DownloadProgress(waiting_for="another process that downloads it"))
                if self._source.stopped.is_set():
                    raise Stopped from None
        try:
            # While this process waited, the one that held the lock may have brought it.
            return self._find(digest) or self._fetch(digest)
        except OSError as error:
            raise disk_error(error, self._cache.folder) from error
        finally:
            lock.release()

    def _find(self, digest: str) -> Path | None:
        return None if self._settling.is_doubtful() else self._cache.find(digest)

    def _fetch(self, digest: str) -> Path:
        folder, partial = self._cache.dataset_folder(digest), self._cache.partial_folder(digest)
        partial.mkdir(parents=True, exist_ok=True)
        content = manifest_content(folder, digest) or manifest_content(partial, digest) or self._fetch_manifest(digest)
        manifest = Manifest.parse(content)
        (partial / MANIFEST).write_bytes(content)
        if self._settling.is_doubtful():
            for doubtful in (folder, partial):
                self._settling.drop_damaged(doubtful, manifest)
        self._settling.begin()
        wrong = set(wrong_sizes(folder, manifest)) & set(wrong_sizes(partial, manifest))
        missing = [shard for shard in manifest.shards if shard.name in wrong]
        self._size_bytes = manifest.size_bytes
        self._bytes_done = manifest.size_bytes - sum(shard.size_bytes for shard in missing)
        check_room(partial, missing)
        self._streams = threading.Semaphore(self._concurrency if self._source.plan().url else REGISTRY_STREAMS)
        self._fetch_all(partial, list(grouped(missing)))
        self._settling.before_publishing(partial)
        publish(partial, folder)
        self._settling.settle_soon(folder)
        return folder

    def _fetch_manifest(self, digest: str) -> bytes:
        plan = self._source.plan()
        content = b"".join(self._source.read(plan.manifest_offset, plan.manifest_size_bytes))
        if hashlib.sha256(content).hexdigest() != digest:
            raise DataLoss(f"the manifest of {self._source.name} is not the one it had when built; {self._advice()}")
        return content

    def _fetch_all(self, partial: Path, groups: Sequence[Sequence[Shard]]) -> None:
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="darkroom-download") as threads:
            tasks = [threads.submit(self._fetch_group, partial, group) for group in groups]
            while wait(tasks, timeout=0.2, return_when=FIRST_EXCEPTION).not_done:
                self._tell()
                if any(task.done() and task.exception() for task in tasks):
                    self._source.stop()
        self._tell()
        errors = [error for task in tasks if (error := task.exception()) is not None]
        # A failure stops the others, so what stopped them is the news.
        for error in sorted(errors, key=lambda error: isinstance(error, Stopped)):
            raise error

    def _fetch_group(self, partial: Path, group: Sequence[Shard]) -> None:
        for _ in range(ATTEMPTS):
            group = self._fetch_once(partial, group)
            if not group:
                return
        raise DataLoss(
            f"the shard {group[0].name} of {self._source.name} came {ATTEMPTS} times with wrong bytes; {self._advice()}"
        )

    def _fetch_once(self, partial: Path, group: Sequence[Shard]) -> list[Shard]:
        """Fetch neighbouring shards by one range; return those whose bytes were wrong."""
        with ExitStack() as stack:
            files = [stack.enter_context(ShardFile(partial, shard)) for shard in group]
            for file in files[1:]:  # small ones, of which only the first is gone on with
                file.restart()
            with self._streams:
                self._receive(files)
            # Checked while the next range comes.
            wrong = [file for file in files if not file.publish()]
            for file in wrong:
                self._advance(-file.size_bytes)
                file.restart()
        return [file.shard for file in wrong]

    def _receive(self, files: Sequence[ShardFile]) -> None:
        if self._source.stopped.is_set():
            raise Stopped
        start, end = files[0].shard.offset + files[0].size_bytes, files[-1].shard.end
        self._advance(files[0].size_bytes)
        with closing(self._source.read(start, end - start)) as chunks:
            stream = ByteStream(chunks, start)
            for file in files:
                stream.skip_to(file.shard.offset + file.size_bytes)
                for piece in stream.take(file.missing_bytes):
                    file.append(piece)
                    self._advance(len(piece))

    def _advance(self, size_bytes: int) -> None:
        with self._lock:
            self._bytes_done += size_bytes

    def _tell(self) -> None:
        self._on_progress(DownloadProgress(self._bytes_done, self._size_bytes, self._source.waiting_for))

    def _advice(self) -> str:
        return f"run `darkroom verify {self._source.name.removeprefix('datasets/')} --full`, then request it again"


class ByteStream:
    """Chunks of a range, cut anew where files begin and end."""

    def __init__(self, chunks: Iterator[bytes | memoryview], position: int) -> None:
        self._chunks = chunks
        self._position = position
        self._rest = memoryview(b"")

    def take(self, size_bytes: int) -> Iterator[memoryview]:
        """Yield the next bytes, exactly so many."""
        while size_bytes:
            if not self._rest:
                self._rest = memoryview(next(self._chunks))
            piece, self._rest = self._rest[:size_bytes], self._rest[size_bytes:]
            self._position += len(piece)
            size_bytes -= len(piece)
            yield piece

    def skip_to(self, position: int) -> None:
        """Leave out what lies before ``position``."""
        for _ in self.take(position - self._position):
            pass


def grouped(shards: Sequence[Shard]) -> Iterator[list[Shard]]:
    """Yield runs of shards that are fetched together: small ones share a range, others have their own."""
    group: list[Shard] = []
    for shard in sorted(shards, key=lambda shard: shard.offset):
        if group and (shard.end - group[0].offset > GROUP_BYTES or len(group) == GROUP_FILES):
            yield group
            group = []
        group.append(shard)
    if group:
        yield group


def check_room(folder: Path, missing: Sequence[Shard]) -> None:
    """Raise `DiskFull` when the missing shards cannot fit."""
    here = sum(entry.stat().st_size for entry in os.scandir(folder) if entry.name.endswith(".part"))
    needed_bytes = sum(shard.size_bytes for shard in missing) - here
    free_bytes = shutil.disk_usage(folder).free
    if needed_bytes > free_bytes:
        raise DiskFull(
            f"the dataset needs {needed_bytes / 1e6:,.0f} MB more and {folder} has {free_bytes / 1e6:,.0f} MB free; "
            "make room (`darkroom cache gc --max-bytes N`) or name another disk by DARKROOM_CACHE, and ask again"
        )


def publish(partial: Path, folder: Path) -> None:
    """Give the gathered files their place: by one rename, or file by file into a damaged copy."""
    if folder.exists():
        for entry in list(os.scandir(partial)):
            # Readers of the damaged file keep the one they opened.
            if not entry.name.endswith(".part"):
                os.replace(entry.path, folder / entry.name)
        shutil.rmtree(partial)
    else:
        os.rename(partial, folder)
    touch(folder)
