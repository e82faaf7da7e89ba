"""The way in for programs with an event loop: ask for a dataset, watch it being built, have it on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import socket
import time
import uuid
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from darkroom.dataset.v1 import dataset_pb2
from darkroom_client.archive_source import ArchiveSource
from darkroom_client.async_imports import AsyncImports
from darkroom_client.async_inpainting import AsyncInpainting
from darkroom_client.async_inpainting import OnProgress as OnInpaint
from darkroom_client.async_request import AsyncDatasetRequest, OnDownload
from darkroom_client.cache import Cache, touch
from darkroom_client.cache_settling import Settling
from darkroom_client.connection import PATIENCE_S, Connection, server_address
from darkroom_client.dataset import Dataset
from darkroom_client.dataset_config import config_json
from darkroom_client.download import Download
from darkroom_client.errors import DataLoss, NotFound
from darkroom_client.inpainting import Marks
from darkroom_client.rate_limit import rate_limit
from darkroom_client.snapshot import DatasetSnapshot, RequestSnapshot
from darkroom_client.snapshot_proto import request_snapshot

if TYPE_CHECKING:
    import numpy as np

    from darkroom_client.inpainting_photo import Photo


class AsyncClient(AsyncImports):
    """A registry's client; every method of `Client`, as a coroutine.

    ``server`` is ``HOST:PORT`` (else ``DARKROOM_SERVER``, else ``localhost:50050``), ``cache`` a folder (else
    ``DARKROOM_CACHE``), ``requester`` what others who wait see (else ``user@host``), ``inpainting`` the inpainting
    service's address (else ``DARKROOM_INPAINTING``, else two ports beyond the registry's). Watches and downloads
    outlast a registry that is away for up to ``patience_s``.
    """

    def __init__(
        self,
        server: str | None = None,
        cache: str | Path | None = None,
        requester: str | None = None,
        *,
        inpainting: str | None = None,
        patience_s: float = PATIENCE_S,
        limit_rate: str | None = None,
    ) -> None:
        self.server = server_address(server)
        self._inpainting_server = inpainting
        self._inpainting: AsyncInpainting | None = None
        self.cache = Cache(cache)
        self.requester = requester or this_requester()
        self._patience_s = patience_s
        self._limit = rate_limit(limit_rate)
        self._connection = Connection(self.server, patience_s)

    @property
    def request_id(self) -> str:
        """The id under which the logs of all services know what this client does."""
        return self._connection.request_id

    async def request_dataset(
        self,
        dataset_name: str,
        handler_version: str = "latest",
        dataset_config: Mapping[str, Any] | None = None,
        *,
        retry: bool = False,
        time_to_live: timedelta | None = None,
    ) -> AsyncDatasetRequest:
        """Ask for a dataset and return the request at once; it is built if nobody has built it yet.

        ``retry`` builds again although the last attempt failed in a way that will repeat; ``time_to_live`` ends the
        interest by itself. Raises `InvalidArgument` naming each wrong config path, `NotFound`.
        """
        request = dataset_pb2.RequestDatasetRequest(
            dataset_name=dataset_name,
            handler_version=handler_version,
            config_json=config_json(dataset_config),
            # The same id again is the same request, so a lost answer is asked for again.
            request_id=str(uuid.uuid4()),
            requester=self.requester,
            retry=retry,
        )
        if time_to_live is not None:
            request.time_to_live.FromTimedelta(time_to_live)
        response = await self._connection.call("RequestDataset", request)
        return AsyncDatasetRequest(self, self._connection, request_snapshot(response.request))

    async def get_request(self, name: str) -> AsyncDatasetRequest:
        """Return to a request made earlier, here or elsewhere, by its ``requests/{uuid}``. Raises `NotFound`."""
        response = await self._connection.call("GetRequest", dataset_pb2.GetRequestRequest(name=name))
        return AsyncDatasetRequest(self, self._connection, request_snapshot(response.request))

    async def list_requests(self, dataset_name: str = "", *, active_only: bool = False) -> list[RequestSnapshot]:
        """Return requests, newest first."""
        request = dataset_pb2.ListRequestsRequest(page_size=1000, dataset_name=dataset_name, active_only=active_only)
        return [request_snapshot(each) for each in await self._all("ListRequests", request, "requests")]

    async def download(
        self, name: str, *, read_options: Mapping[str, Any] | None = None, on_progress: OnDownload | None = None
    ) -> Dataset:
        """Return a ready dataset from the cache, downloaded into it unless it is there.

        Any number of processes may ask at once: one downloads. Raises `NotFound`, `FailedPrecondition` when it is not
        ready, `DataLoss` when its bytes are wrong in the store, `DiskFull`.
        """
        return await self.fetch(await self.get_dataset(name), read_options=read_options, on_progress=on_progress)

    async def fetch(
        self,
        found: DatasetSnapshot,
        *,
        read_options: Mapping[str, Any] | None = None,
        on_progress: OnDownload | None = None,
    ) -> Dataset:
        """Return the dataset of a snapshot, as `download` does for a name."""
        options = dict(read_options or {})
        if found.digest and (cached := await asyncio.to_thread(self._cached, found.digest, options)):
            return cached
        await self._connection.contact()
        source = ArchiveSource(
            self.server,
            found.name,
            patience_s=self._patience_s,
            request_id=self._connection.request_id,
            limit=self._limit,
        )
        work = asyncio.ensure_future(
            asyncio.to_thread(self._download, source, options, on_progress or (lambda progress: None))
        )
        try:
            return await asyncio.shield(work)
        finally:
            if not work.done():
                source.stop()
                with contextlib.suppress(BaseException):
                    await work

    def _cached(self, digest: str, read_options: dict[str, Any]) -> Dataset | None:
        # Held before looking, so that what is found cannot be collected before it is read.
        use_lock = self.cache.use_lock(digest).share()
        try:
            dataset = Dataset(self.cache.dataset_folder(digest), read_options, use_lock)
        except (NotFound, DataLoss):
            return None
        settling = Settling(self.cache, digest)
        if dataset.digest != digest or settling.is_doubtful():
            return None
        settling.settle_soon(dataset.path)
        touch(dataset.path)
        return dataset

    def _download(self, source: ArchiveSource, read_options: dict[str, Any], on_progress: OnDownload) -> Dataset:
        try:
            digest = source.plan().dataset.digest
            use_lock = self.cache.use_lock(digest).share()
            begin_s = time.monotonic()
            path = Download(self.cache, source, on_progress=on_progress).run(digest)
            dataset = Dataset(path, read_options, use_lock)
            if source.received_bytes:
                # A count that is lost is no reason to fail a training.
                with contextlib.suppress(Exception):
                    source.report(str(uuid.uuid4()), time.monotonic() - begin_s, self.requester)
            return dataset
        finally:
            source.close()

    @property
    def inpainting(self) -> AsyncInpainting:
        """The inpainting service's client: its models, its jobs, several candidates of a photo."""
        if self._inpainting is None:
            self._inpainting = AsyncInpainting(
                self._inpainting_server, registry=self.server, patience_s=self._patience_s
            )
        return self._inpainting

    async def inpaint(
        self,
        photo: Photo,
        mask: Photo | None = None,
        *,
        marks: Marks | None = None,
        model: str = "",
        strategy: str = "auto",
        seed: int = 0,
        on_progress: OnInpaint = None,
    ) -> np.ndarray[Any, Any]:
        """Return a photo without what is marked, as an array; see `AsyncInpainting.inpaint`."""
        return await self.inpainting.inpaint(
            photo, mask, marks=marks, model=model, strategy=strategy, seed=seed, on_progress=on_progress
        )

    async def close(self) -> None:
        """Drop the connections; requests and builds go on."""
        await self._connection.close()
        if self._inpainting is not None:
            await self._inpainting.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()


def this_requester() -> str:
    """Return ``user@host``."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container whose user id has no name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
