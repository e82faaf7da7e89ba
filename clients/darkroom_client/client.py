"""The way in for ordinary programs: `AsyncClient` with every method made to wait for its result."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

from darkroom_client.async_client import AsyncClient
from darkroom_client.async_inpainting import AsyncInpainting
from darkroom_client.async_request import AsyncDatasetRequest
from darkroom_client.cache import Cache
from darkroom_client.connection import PATIENCE_S
from darkroom_client.dataset import Dataset
from darkroom_client.errors import DarkroomError
from darkroom_client.event_loop import EventLoopThread, shared_loop
from darkroom_client.fork_check import check_process
from darkroom_client.snapshot import RequestSnapshot

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Blocking:
    """A synchronous face of an asynchronous object, in the process that made it."""

    def __init__(self, loop: EventLoopThread, behind: Any) -> None:
        self._loop = loop
        self._behind = behind

    def _here(self) -> EventLoopThread:
        check_process()
        return self._loop


def blocking(
    method: Callable[Concatenate[Any, Parameters], Coroutine[Any, Any, Result]],
) -> Callable[Concatenate[Any, Parameters], Result]:
    """Return the method with ``await`` done inside."""

    def call(self: Any, /, *arguments: Parameters.args, **options: Parameters.kwargs) -> Result:
        loop: EventLoopThread = self._here()
        return loop.run(method(self._behind, *arguments, **options))

    functools.update_wrapper(call, method)
    return call


def iterating(
    method: Callable[Concatenate[Any, Parameters], AsyncGenerator[Result, None]],
) -> Callable[Concatenate[Any, Parameters], Iterator[Result]]:
    """Return the asynchronous generator as a plain one."""

    def call(self: Any, /, *arguments: Parameters.args, **options: Parameters.kwargs) -> Iterator[Result]:
        loop: EventLoopThread = self._here()
        return loop.iterate(method(self._behind, *arguments, **options))

    functools.update_wrapper(call, method)
    return call


class DatasetRequest(Blocking):
    """One request as its caller holds it; see `AsyncDatasetRequest`."""

    _behind: AsyncDatasetRequest

    watch = iterating(AsyncDatasetRequest.watch)
    wait = blocking(AsyncDatasetRequest.wait)
    get = blocking(AsyncDatasetRequest.get)
    cancel = blocking(AsyncDatasetRequest.cancel)

    @property
    def name(self) -> str:
        """``requests/{uuid}``, by which anybody can come back to it."""
        return self._behind.name

    @property
    def key(self) -> str:
        """The dataset's key; empty until it is known."""
        return self._behind.key

    @property
    def snapshot(self) -> RequestSnapshot:
        """What was last seen of it."""
        return self._behind.snapshot

    def on_ready(self, callback: Callable[[Dataset | DarkroomError], None]) -> threading.Thread:
        """Call ``callback`` once, from a thread: with the downloaded dataset, or with the error that came instead.

        Join the returned thread to wait for it; it does not keep the program from ending.
        """

        def deliver() -> None:
            outcome: Dataset | DarkroomError
            try:
                outcome = self.get()
            except DarkroomError as error:
                outcome = error
            callback(outcome)

        thread = threading.Thread(target=deliver, name=f"on_ready {self.name}", daemon=True)
        thread.start()
        return thread

    def __repr__(self) -> str:
        return f"DatasetRequest({self.name!r}, {self.snapshot.state})"


class Inpainting(Blocking):
    """An inpainting service's client; see `AsyncInpainting`."""

    _behind: AsyncInpainting

    def __init__(self, server: str | None = None, *, patience_s: float = PATIENCE_S) -> None:
        async def opened() -> AsyncInpainting:
            return AsyncInpainting(server, patience_s=patience_s)

        loop = shared_loop()
        super().__init__(loop, loop.run(opened()))

    @classmethod
    def around(cls, loop: EventLoopThread, behind: AsyncInpainting) -> Inpainting:
        """Return the synchronous face of a client that is open."""
        face = cls.__new__(cls)
        Blocking.__init__(face, loop, behind)
        return face

    inpaint = blocking(AsyncInpainting.inpaint)
    inpaint_candidates = blocking(AsyncInpainting.inpaint_candidates)
    list_models = blocking(AsyncInpainting.list_models)
    add_model = blocking(AsyncInpainting.add_model)
    remove_model = blocking(AsyncInpainting.remove_model)
    set_default_model = blocking(AsyncInpainting.set_default_model)
    start_batch_job = blocking(AsyncInpainting.start_batch_job)
    watch_batch_job = iterating(AsyncInpainting.watch_batch_job)
    cancel_batch_job = blocking(AsyncInpainting.cancel_batch_job)
    close = blocking(AsyncInpainting.close)

    def __enter__(self) -> Inpainting:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._loop.process_id == os.getpid():
            self.close()


class Client(Blocking):
    """A registry's client; see `AsyncClient` for the arguments.

    >>> with Client() as client:
    ...     dataset = client.request_dataset("street", "latest", {"image_size": [256, 256]}).get()
    """

    _behind: AsyncClient

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
        async def opened() -> AsyncClient:
            return AsyncClient(
                server, cache, requester, inpainting=inpainting, patience_s=patience_s, limit_rate=limit_rate
            )

        loop = shared_loop()
        super().__init__(loop, loop.run(opened()))

    def request_dataset(
        self,
        dataset_name: str,
        handler_version: str = "latest",
        dataset_config: Mapping[str, Any] | None = None,
        *,
        retry: bool = False,
        time_to_live: timedelta | None = None,
    ) -> DatasetRequest:
        """See `AsyncClient.request_dataset`."""
        coroutine = self._behind.request_dataset(
            dataset_name, handler_version, dataset_config, retry=retry, time_to_live=time_to_live
        )
        return DatasetRequest(self._loop, self._here().run(coroutine))

    def get_request(self, name: str) -> DatasetRequest:
        """See `AsyncClient.get_request`."""
        return DatasetRequest(self._loop, self._here().run(self._behind.get_request(name)))

    list_requests = blocking(AsyncClient.list_requests)
    download = blocking(AsyncClient.download)
    fetch = blocking(AsyncClient.fetch)
    get_dataset = blocking(AsyncClient.get_dataset)
    list_datasets = blocking(AsyncClient.list_datasets)
    watch_dataset = iterating(AsyncClient.watch_dataset)
    resolve = blocking(AsyncClient.resolve)
    preview = blocking(AsyncClient.preview)
    pin = blocking(AsyncClient.pin)
    unpin = blocking(AsyncClient.unpin)
    delete = blocking(AsyncClient.delete)
    verify = blocking(AsyncClient.verify)
    import_archive = blocking(AsyncClient.import_archive)
    send_archive = blocking(AsyncClient.send_archive)
    finish_import = blocking(AsyncClient.finish_import)
    read_log = iterating(AsyncClient.read_log)
    define = blocking(AsyncClient.define)
    get_definition = blocking(AsyncClient.get_definition)
    list_definitions = blocking(AsyncClient.list_definitions)
    list_handlers = blocking(AsyncClient.list_handlers)
    get_handler = blocking(AsyncClient.get_handler)
    relock = blocking(AsyncClient.relock)
    list_raw_datasets = blocking(AsyncClient.list_raw_datasets)
    scan_raw_dataset = blocking(AsyncClient.scan_raw_dataset)
    list_runners = blocking(AsyncClient.list_runners)
    usage = blocking(AsyncClient.usage)
    inpaint = blocking(AsyncClient.inpaint)
    close = blocking(AsyncClient.close)

    @property
    def inpainting(self) -> Inpainting:
        """The inpainting service's client: its models, its jobs, several candidates of a photo."""

        async def opened() -> AsyncInpainting:
            return self._behind.inpainting

        return Inpainting.around(self._loop, self._here().run(opened()))

    @property
    def request_id(self) -> str:
        """The id under which the logs of all services know what this client does."""
        return self._behind.request_id

    @property
    def server(self) -> str:
        """The registry's address."""
        return self._behind.server

    @property
    def cache(self) -> Cache:
        """The local cache."""
        return self._behind.cache

    @property
    def requester(self) -> str:
        """What others who wait see."""
        return self._behind.requester

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._loop.process_id == os.getpid():
            self.close()
