"""One request as its caller holds it: watch it, wait for it, have its dataset, or withdraw it."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from darkroom.dataset.v1 import dataset_pb2
from darkroom_client.connection import Connection
from darkroom_client.dataset import Dataset
from darkroom_client.download import DownloadProgress
from darkroom_client.errors import DarkroomError, RequestFailed
from darkroom_client.snapshot import Failure, RequestSnapshot, RequestState, is_news
from darkroom_client.snapshot_proto import request_snapshot

if TYPE_CHECKING:
    from darkroom_client.async_client import AsyncClient

OnDownload = Callable[[DownloadProgress], None]


class AsyncDatasetRequest:
    """A request; ``snapshot`` is what was last seen of it."""

    def __init__(self, client: AsyncClient, connection: Connection, snapshot: RequestSnapshot) -> None:
        self.snapshot = snapshot
        self._client = client
        self._connection = connection

    @property
    def name(self) -> str:
        """``requests/{uuid}``, by which anybody can come back to it."""
        return self.snapshot.name

    @property
    def key(self) -> str:
        """The dataset's key; empty until it is known."""
        return self.snapshot.key

    async def watch(self) -> AsyncGenerator[RequestSnapshot, None]:
        """Yield the request as it stands, each change, and at last its final state; re-attaches by itself."""
        if self.snapshot.final:
            # Such as a hit: nothing of it changes any more, so nobody need be asked.
            yield self.snapshot
            return
        request = dataset_pb2.WatchRequestRequest(name=self.name)

        def final(response: Any) -> bool:
            return request_snapshot(response.request).final

        async with contextlib.aclosing(self._connection.stream("WatchRequest", lambda: request, final)) as responses:
            seen: RequestSnapshot | None = None
            async for response in responses:
                snapshot = request_snapshot(response.request)
                if is_news(snapshot, seen):
                    self.snapshot = seen = snapshot
                    yield snapshot

    async def wait(self, timeout: float | None = None) -> RequestSnapshot:
        """Return the snapshot once it is ready.

        Raises `RequestFailed` when it failed, was cancelled or expired, and `TimeoutError` after ``timeout`` seconds;
        the build goes on then.
        """
        async with asyncio.timeout(timeout), contextlib.aclosing(self.watch()) as snapshots:
            async for _ in snapshots:
                pass
        if self.snapshot.state is not RequestState.READY:
            raise RequestFailed(failure_of(self.snapshot))
        return self.snapshot

    async def get(self, *, on_progress: OnDownload | None = None) -> Dataset:
        """Wait until it is ready and return the dataset, downloaded into the cache unless it is there."""
        if self.snapshot.state is not RequestState.READY:
            await self.wait()
        found = self.snapshot.dataset or await self._client.get_dataset(self.key)
        return await self._client.fetch(found, read_options=self.snapshot.read_options, on_progress=on_progress)

    def on_ready(self, callback: Callable[[Dataset | DarkroomError], Awaitable[None] | None]) -> asyncio.Task[None]:
        """Call ``callback`` once, from a task: with the downloaded dataset, or with the error that came instead."""

        async def deliver() -> None:
            outcome: Dataset | DarkroomError
            try:
                outcome = await self.get()
            except DarkroomError as error:
                outcome = error
            answer = callback(outcome)
            if inspect.isawaitable(answer):
                await answer

        return asyncio.create_task(deliver())

    async def cancel(self) -> RequestSnapshot:
        """Withdraw this interest; the build stops when no other is left."""
        request = dataset_pb2.CancelRequestRequest(name=self.name)
        self.snapshot = request_snapshot((await self._connection.call("CancelRequest", request)).request)
        return self.snapshot

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.snapshot.state})"


def failure_of(snapshot: RequestSnapshot) -> Failure:
    """Return why a final request has no dataset."""
    if snapshot.failure is not None:
        return snapshot.failure
    reasons = {
        RequestState.CANCELLED: "the request was cancelled",
        RequestState.EXPIRED: "the request's time to live passed before the dataset was ready",
    }
    return Failure(str(snapshot.state), f"{snapshot.name}: {reasons.get(snapshot.state, 'it failed without a reason')}")
