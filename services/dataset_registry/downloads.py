"""Says where a ready archive lies, streams its bytes where the store has no URLs, and counts downloads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace

from dataset_registry import names
from dataset_registry.archives import Archives
from dataset_registry.catalog import Catalog, Transaction
from dataset_registry.joining import evict
from dataset_registry.metrics import BYTES_SERVED, DOWNLOADED_BYTES, DOWNLOADS
from dataset_registry.records import Dataset, Download
from dataset_registry.registry import Registry
from dataset_registry.states import DatasetState
from dataset_registry.views import DatasetView
from service_kit.errors import DataLoss, FailedPrecondition, InvalidArgument, OutOfRange
from service_kit.object_store import ObjectMissing, ObjectShort


@dataclass(frozen=True)
class DownloadPlan:
    """Where an archive lies."""

    view: DatasetView
    url: str
    expire_time: float
    path: str


class Downloads:
    """Hands out ready archives."""

    def __init__(self, catalog: Catalog, registry: Registry, archives: Archives) -> None:
        self._catalog = catalog
        self._registry = registry
        self._archives = archives

    async def plan(self, name: str) -> DownloadPlan:
        """Return where a ready dataset's archive lies. Raises `FailedPrecondition` naming its state."""
        # A client that finds the bytes gone behind a URL can tell nobody but by asking for a plan again.
        view = await self._ready(name, afresh=True)
        url, expire_time = await asyncio.to_thread(self._archives.url, view.dataset)
        return DownloadPlan(view, url, expire_time, self._archives.path(view.dataset))

    async def read(self, name: str, offset: int, size_bytes: int) -> AsyncIterator[bytes]:
        """Yield a byte range of the archive in chunks of at most 1 MiB."""
        if offset < 0 or size_bytes < 1:
            raise InvalidArgument.of([("size_bytes", "must be at least 1, and offset at least 0")])
        dataset = (await self._ready(name)).dataset
        if offset + size_bytes > dataset.archive_size_bytes:
            raise OutOfRange(f"bytes {offset} to {offset + size_bytes} of {dataset.archive_size_bytes} were asked for")
        chunks = self._archives.read(dataset, offset, size_bytes)
        try:
            while chunk := await asyncio.to_thread(_next, chunks):
                BYTES_SERVED.inc(len(chunk))
                yield chunk
        except (ObjectMissing, ObjectShort):
            await self._catalog.write_soon(lambda tx: evict(tx, dataset.id))
            raise DataLoss(f"the archive of datasets/{dataset.id} is gone or short; request it again") from None

    async def report(self, name: str, download: Download) -> None:
        """Count a finished download once."""
        key = await self._registry.find_key(name)
        names.check_request_id(download.id)

        def step(tx: Transaction) -> bool:
            new = tx.get(Download, download.id) is None
            if new:
                dataset = tx.get(Dataset, key)
                dataset_name = dataset.dataset_name if dataset else ""
                requester = download.requester[:200] or "unknown"
                known = {"key": key, "dataset_name": dataset_name, "requester": requester}
                tx.put(replace(download, create_time=tx.now(), **known))  # type: ignore[arg-type]
            return new

        if await self._catalog.write_soon(step):
            DOWNLOADS.inc()
            DOWNLOADED_BYTES.inc(max(download.size_bytes, 0))

    async def _ready(self, name: str, *, afresh: bool = False) -> DatasetView:
        view = await self._registry.look(await self._registry.find_key(name), afresh=afresh)
        if view.dataset.state != DatasetState.READY:
            what = "import its archive again" if view.dataset.imported else "request it to have it built"
            raise FailedPrecondition(f"datasets/{view.dataset.id} is {view.dataset.state}; {what}", reason="NOT_READY")
        return view


def _next(chunks: Iterator[bytes]) -> bytes:
    return next(chunks, b"")
