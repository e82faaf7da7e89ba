"""Where an archive's bytes come from: its URL in the object store, the store's own file, or the registry."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from darkroom_client.archive_source_file import FileRanges
from darkroom_client.archive_source_registry import RegistryRanges
from darkroom_client.connection import PATIENCE_S, backoff_s
from darkroom_client.errors import DarkroomError, DataLoss, FailedPrecondition, Unavailable
from darkroom_client.rate_limit import RateLimit
from darkroom_client.request_id import new_request_id
from darkroom_client.snapshot import DatasetSnapshot
from darkroom_client.snapshot_proto import dataset_snapshot

if TYPE_CHECKING:
    from darkroom_client.archive_source_url import UrlRanges

# A URL younger than this cannot have expired.
FRESH_S = 1.0


@dataclass(frozen=True)
class DownloadPlan:
    """A ready dataset, the URL of its archive (empty: read through the registry), and where its manifest lies."""

    dataset: DatasetSnapshot
    url: str
    manifest_offset: int
    manifest_size_bytes: int
    made_s: float = field(default_factory=time.monotonic)


class Stopped(Exception):
    """The caller no longer wants the bytes."""


class ArchiveSource:
    """Reads ranges of one dataset's archive from several threads, through broken connections and expired URLs."""

    def __init__(
        self,
        server: str,
        name: str,
        *,
        patience_s: float = PATIENCE_S,
        request_id: str = "",
        limit: RateLimit | None = None,
    ) -> None:
        """``request_id``: as logs know the caller, by default one of its own; ``limit``: how fast bytes may come."""
        self.name = name
        self.stopped = threading.Event()
        self.received_bytes = 0
        self.waiting_for = ""
        self._patience_s = patience_s
        self._limit = limit
        self._registry = RegistryRanges(server, name, request_id or new_request_id())
        self._urls: UrlRanges | None = None
        self._file: FileRanges | None = None
        self._lock = threading.Lock()
        self._plan: DownloadPlan | None = None

    def plan(self, instead_of: DownloadPlan | None = None) -> DownloadPlan:
        """Return the download plan, a new one when the present one is ``instead_of``."""
        with self._lock:
            if self._plan is None or self._plan is instead_of:
                message = self._registry.plan()
                self._plan = DownloadPlan(
                    dataset_snapshot(message.dataset), message.url, message.manifest_offset, message.manifest_size_bytes
                )
                if self._file is None:
                    self._file = FileRanges.open(message.path, message.dataset.size_bytes)
                if message.url and self._urls is None:
                    # Imported late: it takes a tenth of a second, which a store without URLs need not pay.
                    from darkroom_client.archive_source_url import UrlRanges

                    self._urls = UrlRanges()
            return self._plan

    def read(self, offset: int, size_bytes: int) -> Generator[bytes | memoryview, None, None]:
        """Yield exactly the range, in chunks of at most 1 MiB.

        A connection that breaks is opened again where it broke. Raises `Unavailable` when nothing came for as long
        as the patience lasts, `DataLoss` when the archive is gone or short, `Stopped`.
        """
        position, end = offset, offset + size_bytes
        pauses, lost_since_s = backoff_s(), None
        while position < end:
            broken = Unavailable(f"the bytes of {self.name} ended early")
            try:
                for chunk in self._read_once(position, end):
                    pauses, lost_since_s, self.waiting_for = backoff_s(), None, ""
                    chunk = chunk[: end - position]
                    position += len(chunk)
                    with self._lock:
                        self.received_bytes += len(chunk)
                    if self._limit is not None and self.stopped.wait(self._limit.take(len(chunk))):
                        raise Stopped
                    yield chunk
            except Unavailable as error:
                broken = Unavailable(f"the bytes of {self.name}: {error}")
            if position < end:
                if self.stopped.is_set():
                    raise Stopped
                self.waiting_for = str(broken)
                lost_since_s = lost_since_s or time.monotonic()
                if time.monotonic() - lost_since_s > self._patience_s:
                    raise broken
                if self.stopped.wait(next(pauses)):
                    raise Stopped

    def report(self, download_id: str, elapsed_s: float, requester: str) -> None:
        """Count the finished download at the registry."""
        self._registry.report(download_id, self.received_bytes, elapsed_s, requester)

    def stop(self) -> None:
        """Make every read end with `Stopped`, those too that wait for a silent store."""
        self.stopped.set()
        self._registry.stop()
        if self._urls is not None:
            self._urls.stop()

    def close(self) -> None:
        """Drop all connections."""
        self._registry.close()
        if self._file is not None:
            self._file.close()
        if self._urls is not None:
            self._urls.close()

    def _read_once(self, offset: int, end: int) -> Iterator[bytes | memoryview]:
        plan = self.plan()
        if self._file is not None:
            yield from self._file.read(offset, end)
            return
        if not plan.url:
            yield from self._registry.read(offset, end)
            return
        from darkroom_client.archive_source_url import UrlRefused

        assert self._urls is not None
        try:
            yield from self._urls.read(plan.url, offset, end)
        except UrlRefused as error:
            raise self._meaning(error.status, plan) from error

    def _meaning(self, status: int, plan: DownloadPlan) -> DarkroomError:
        if status == 403 and time.monotonic() - plan.made_s > FRESH_S:
            self.plan(instead_of=plan)
            return Unavailable("its URL expired")
        if status == 403:
            return FailedPrecondition(
                f"the store refuses the URL of {self.name} (403): do the clocks agree, and is the store's "
                "public endpoint the address that this machine sees?"
            )
        if status in (404, 410, 416):
            return DataLoss(f"the archive of {self.name} is gone or short: request the dataset again")
        if status == 429 or status >= 500:
            return Unavailable(f"the store answered {status}")
        return FailedPrecondition(f"the store answered {status} to a range of {self.name}'s archive, not 206")
