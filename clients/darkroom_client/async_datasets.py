"""Asks a registry about datasets: which there are, what a request would get, their pins, logs and health."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from darkroom.dataset.v1 import dataset_pb2
from darkroom_client import catalog_proto
from darkroom_client.async_catalog import PAGE_SIZE, AsyncCatalog
from darkroom_client.catalog import VerifyReport
from darkroom_client.dataset_config import config_json
from darkroom_client.errors import NotFound
from darkroom_client.resolution import Resolution
from darkroom_client.resolution_proto import resolution
from darkroom_client.snapshot import DatasetSnapshot, DatasetState, Progress, is_news
from darkroom_client.snapshot_proto import dataset_snapshot

# Digits of a whole key; that of an imported dataset is an md5.
KEY_LENGTHS = (64, 32)
OnProgress = Callable[[Progress], None] | None


class AsyncDatasets(AsyncCatalog):
    """The calls about datasets, each a coroutine.

    Where a dataset is named, its key, 6 digits or more of the key, ``datasets/{key}``, the archive's file name,
    or the dataset name will do; the last means the newest that is ready.
    """

    async def get_dataset(self, name: str) -> DatasetSnapshot:
        """Return a dataset as it stands. Raises `NotFound`."""
        key = key_in(name)
        if key is not None:
            request = dataset_pb2.GetDatasetRequest(name=f"datasets/{key}")
            try:
                return dataset_snapshot((await self._connection.call("GetDataset", request)).dataset)
            except NotFound:
                if len(key) in KEY_LENGTHS or name != key:
                    raise
        # A short run of hex digits, `facade` for one, may also be a dataset name.
        ready = await self.list_datasets(name, state=DatasetState.READY, limit=1)
        if not ready:
            raise NotFound(
                f"no dataset {name!r} is ready; `darkroom ls` shows those there are, `darkroom request` builds one"
            )
        return ready[0]

    async def list_datasets(
        self, dataset_name: str = "", *, state: DatasetState | None = None, limit: int | None = None
    ) -> list[DatasetSnapshot]:
        """Return datasets, newest first: all, or those of one definition or state."""
        request = dataset_pb2.ListDatasetsRequest(
            page_size=min(limit or PAGE_SIZE, PAGE_SIZE),
            dataset_name=dataset_name,
            state=f"DATASET_STATE_{state or 'UNSPECIFIED'}",
        )
        return [dataset_snapshot(each) for each in await self._all("ListDatasets", request, "datasets", limit)]

    async def watch_dataset(self, name: str) -> AsyncGenerator[DatasetSnapshot, None]:
        """Yield the dataset each time it changes, its final state last; re-attaches by itself."""
        request = dataset_pb2.WatchDatasetRequest(name=await self._name_of(name))

        def final(response: Any) -> bool:
            return dataset_snapshot(response.dataset).final

        seen: DatasetSnapshot | None = None
        async for response in self._connection.stream("WatchDataset", lambda: request, final):
            snapshot = dataset_snapshot(response.dataset)
            if is_news(snapshot, seen):
                seen = snapshot
                yield snapshot

    async def resolve(
        self,
        dataset_name: str,
        handler_version: str = "latest",
        dataset_config: Mapping[str, Any] | None = None,
        *,
        on_progress: OnProgress = None,
    ) -> Resolution:
        """Say what a request would get, without building: the key, hit or miss, and why."""
        request = dataset_pb2.ResolveDatasetRequest(
            dataset_name=dataset_name, handler_version=handler_version, config_json=config_json(dataset_config)
        )
        return resolution(await self._answer("ResolveDataset", request, "resolution", on_progress))

    async def preview(
        self,
        dataset_name: str,
        handler_version: str = "latest",
        dataset_config: Mapping[str, Any] | None = None,
        *,
        sample_count: int = 16,
        on_progress: OnProgress = None,
    ) -> bytes:
        """Return a contact sheet of 1 to 64 samples as PNG; nothing is built or kept."""
        request = dataset_pb2.PreviewDatasetRequest(
            dataset_name=dataset_name,
            handler_version=handler_version,
            config_json=config_json(dataset_config),
            sample_count=sample_count,
        )
        return bytes(await self._answer("PreviewDataset", request, "png", on_progress))

    async def pin(self, name: str) -> DatasetSnapshot:
        """Keep a dataset from being deleted or evicted. Raises `NotFound`."""
        request = dataset_pb2.PinDatasetRequest(name=await self._name_of(name))
        return dataset_snapshot((await self._connection.call("PinDataset", request)).dataset)

    async def unpin(self, name: str) -> DatasetSnapshot:
        """Take a pin off. Raises `NotFound`."""
        request = dataset_pb2.UnpinDatasetRequest(name=await self._name_of(name))
        return dataset_snapshot((await self._connection.call("UnpinDataset", request)).dataset)

    async def delete(self, name: str) -> None:
        """Forget a dataset; it is built again when asked for. Raises `NotFound`, `FailedPrecondition`."""
        await self._connection.call("DeleteDataset", dataset_pb2.DeleteDatasetRequest(name=await self._name_of(name)))

    async def verify(
        self, name: str, *, full: bool = False, rebuild_count: int = 0, on_progress: OnProgress = None
    ) -> VerifyReport:
        """Check a dataset's bytes in the store: every one if ``full``; build ``rebuild_count`` shards again."""
        request = dataset_pb2.VerifyDatasetRequest(
            name=await self._name_of(name), full=full, rebuild_count=rebuild_count
        )
        return catalog_proto.verify_report(await self._answer("VerifyDataset", request, "report", on_progress))

    async def read_log(self, name: str, *, offset: int = 0, follow: bool = False) -> AsyncGenerator[str, None]:
        """Yield pieces of the log of a dataset's or request's build; with ``follow`` until the build ends."""
        request = dataset_pb2.ReadLogRequest(
            name=name if name.startswith("requests/") else await self._name_of(name), offset=offset, follow=follow
        )
        async for response in self._connection.stream("ReadLog", lambda: request):
            # A stream that breaks goes on behind what was read.
            request.offset = response.next_offset
            yield response.text

    async def _name_of(self, name: str) -> str:
        key = key_in(name)
        return (
            f"datasets/{key}" if key is not None and len(key) == KEY_LENGTHS[0] else (await self.get_dataset(name)).name
        )


def key_in(name: str) -> str | None:
    """Return the key, or the run of its first digits, that a dataset is named by; None for a dataset name."""
    # The key of an imported dataset is an md5.
    if match := re.fullmatch(r"(?:.*/)?.+_([0-9a-f]{64}|[0-9a-f]{32})(?:\.zip)?", name):
        return match[1]
    match = re.fullmatch(r"(?:datasets/)?([0-9a-f]{6,64})", name)
    return match[1] if match else None
