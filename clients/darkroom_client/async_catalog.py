"""Asks a registry what it knows and what it serves: definitions, handlers, raw datasets, runners."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from darkroom.dataset.v1 import dataset_pb2
from darkroom_client import catalog_proto
from darkroom_client.catalog import Definition, Handler, RawDataset, Relocked, Runner, Usage, UsageBy
from darkroom_client.connection import Connection
from darkroom_client.snapshot import Progress
from darkroom_client.snapshot_proto import progress_fields

PAGE_SIZE = 1000
# An environment that was never made takes minutes.
DESCRIBE_TIMEOUT_S = 600.0
_USAGE_BY = {UsageBy.DATASET: "DATASET", UsageBy.NAME: "NAME", UsageBy.USER: "REQUESTER"}


class AsyncCatalog:
    """The catalogue's calls, each a coroutine; errors are those of `darkroom_client.errors`."""

    _connection: Connection

    async def define(self, dataset_name: str, handler: str, raw: Mapping[str, str]) -> Definition:
        """Write down which handler makes ``dataset_name`` and which raw dataset plays which role."""
        request = dataset_pb2.DefineDatasetRequest(dataset_name=dataset_name, handler=handler, raw=raw)
        response = await self._connection.call("DefineDataset", request)
        return catalog_proto.definition(response.definition)

    async def get_definition(self, dataset_name: str) -> Definition:
        """Return one definition. Raises `NotFound`."""
        request = dataset_pb2.GetDefinitionRequest(dataset_name=dataset_name)
        return catalog_proto.definition((await self._connection.call("GetDefinition", request)).definition)

    async def list_definitions(self) -> list[Definition]:
        """Return the definitions, by name."""
        request = dataset_pb2.ListDefinitionsRequest(page_size=PAGE_SIZE)
        return [catalog_proto.definition(each) for each in await self._all("ListDefinitions", request, "definitions")]

    async def list_handlers(self) -> list[Handler]:
        """Return the handlers that the runners' repositories offer, at their newest version."""
        request = dataset_pb2.ListHandlersRequest(page_size=PAGE_SIZE)
        return [catalog_proto.handler(each) for each in await self._all("ListHandlers", request, "handlers")]

    async def get_handler(self, name: str, version: str = "latest") -> Handler:
        """Return one handler with its options; ``name`` is ``repository/handler``.

        At a version that nobody used before its environment is made first. Raises `NotFound`, `FailedPrecondition`.
        """
        request = dataset_pb2.GetHandlerRequest(name=name, version=version)
        return catalog_proto.handler((await self._connection.call("GetHandler", request, DESCRIBE_TIMEOUT_S)).handler)

    async def relock(
        self, repository: str, version: str = "latest", *, on_progress: Callable[[Progress], None] | None = None
    ) -> Relocked:
        """Resolve a repository's requirements again, for all who ask for that commit from now on.

        Raises `NotFound`, `FailedPrecondition` when it cannot be done: the lock stays as it was.
        """
        request = dataset_pb2.RelockRepositoryRequest(repository=repository, version=version)
        async for response in self._connection.stream("RelockRepository", lambda: request, _relocked):
            if _relocked(response):
                return Relocked(response.commit, response.previous_lock_digest, response.lock_digest, response.lock)
            if on_progress is not None:
                on_progress(Progress(**progress_fields(response.progress)))
        raise AssertionError("a stream ends with its answer or an error")

    async def list_raw_datasets(self) -> list[RawDataset]:
        """Return the raw datasets that runners serve, by name."""
        request = dataset_pb2.ListRawDatasetsRequest(page_size=PAGE_SIZE)
        return [catalog_proto.raw_dataset(each) for each in await self._all("ListRawDatasets", request, "raw_datasets")]

    async def scan_raw_dataset(self, name: str, *, on_progress: Callable[[Progress], None] | None = None) -> RawDataset:
        """Walk a raw dataset now and return it with its digest. Raises `NotFound`, `FailedPrecondition`."""
        request = dataset_pb2.ScanRawDatasetRequest(name=name)
        answer = await self._answer("ScanRawDataset", request, "raw_dataset", on_progress)
        return catalog_proto.raw_dataset(answer)

    async def list_runners(self) -> list[Runner]:
        """Return the runners seen lately, by name."""
        request = dataset_pb2.ListRunnersRequest(page_size=PAGE_SIZE)
        return [catalog_proto.runner(each) for each in await self._all("ListRunners", request, "runners")]

    async def usage(
        self,
        by: UsageBy | str = UsageBy.DATASET,
        *,
        since: datetime | timedelta | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> list[Usage]:
        """Return what was asked for, built and downloaded, most requested first.

        ``by`` is ``dataset``, ``name`` or ``user``; ``since`` a moment, or how far back from now.
        """
        kind = f"USAGE_BY_{_USAGE_BY[UsageBy(by)]}"
        request = dataset_pb2.GetUsageRequest(by=kind, page_size=min(limit or PAGE_SIZE, PAGE_SIZE))
        if since is not None:
            begin = since if isinstance(since, datetime) else datetime.now(UTC) - since
            request.since_time.FromDatetime(begin.astimezone(UTC))
        if until is not None:
            request.until_time.FromDatetime(until.astimezone(UTC))
        return [catalog_proto.usage(each) for each in await self._all("GetUsage", request, "usages", limit)]

    async def _all(self, method: str, request: Any, field: str, limit: int | None = None) -> list[Any]:
        found: list[Any] = []
        while True:
            response = await self._connection.call(method, request)
            found.extend(getattr(response, field))
            request.page_token = response.next_page_token
            if not request.page_token or (limit is not None and len(found) >= limit):
                return found[:limit]

    async def _answer(
        self, method: str, request: Any, field: str, on_progress: Callable[[Progress], None] | None
    ) -> Any:
        """Follow a stream of stages and return what its last message holds in ``field``."""
        answered = _holds(field)
        async for response in self._connection.stream(method, lambda: request, answered):
            if answered(response):
                return getattr(response, field)
            if on_progress is not None:
                on_progress(Progress(**progress_fields(response.progress)))
        raise AssertionError("a stream ends with its answer or an error")


def _relocked(response: Any) -> bool:
    return bool(response.commit)


def _holds(field: str) -> Callable[[Any], bool]:
    def holds(response: Any) -> bool:
        return any(descriptor.name == field for descriptor, _ in response.ListFields())

    return holds
