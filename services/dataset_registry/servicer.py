"""The registry's RPCs for those who ask: proto in, call, proto out."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

from darkroom.dataset.v1 import dataset_pb2 as pb
from darkroom.dataset.v1 import dataset_pb2_grpc
from dataset_registry import wire
from dataset_registry import wire_explained as explained
from dataset_registry.browsing import Browsing
from dataset_registry.downloads import Downloads
from dataset_registry.health_report import HealthReport
from dataset_registry.importing import Importing
from dataset_registry.inquiries import Inquiries, Resolution
from dataset_registry.keeping import Keeping, ReadSoFar, VerifyReport
from dataset_registry.listing import page, slice_page
from dataset_registry.records import Download
from dataset_registry.registry import Registry
from dataset_registry.relocking import Relocking
from dataset_registry.states import WorkState
from dataset_registry.views import DatasetView, RequestView, WorkView
from dataset_registry.wire_health import bearer, health_message
from dataset_registry.wire_import import arrival_and_chunks
from dataset_registry.wire_usage import asked_usage, usage_message
from service_kit.crash_points import reach
from service_kit.security import is_of_this_machine


class DatasetServicer(dataset_pb2_grpc.DatasetServiceServicer):  # type: ignore[misc]
    """See `DatasetService` in `darkroom/dataset/v1/dataset.proto`."""

    def __init__(
        self,
        registry: Registry,
        inquiries: Inquiries,
        keeping: Keeping,
        downloads: Downloads,
        browsing: Browsing,
        importing: Importing,
        relocking: Relocking,
        health: HealthReport,
    ) -> None:
        self._registry = registry
        self._inquiries = inquiries
        self._keeping = keeping
        self._downloads = downloads
        self._browsing = browsing
        self._importing = importing
        self._relocking = relocking
        self._health = health

    async def DefineDataset(self, request: pb.DefineDatasetRequest, context: Any) -> pb.DefineDatasetResponse:
        definition = await self._keeping.define(request.dataset_name, request.handler, dict(request.raw))
        return pb.DefineDatasetResponse(definition=wire.definition_message(definition))

    async def GetDefinition(self, request: pb.GetDefinitionRequest, context: Any) -> pb.GetDefinitionResponse:
        definition = await self._keeping.definition(request.dataset_name)
        return pb.GetDefinitionResponse(definition=wire.definition_message(definition))

    async def ListDefinitions(self, request: pb.ListDefinitionsRequest, context: Any) -> pb.ListDefinitionsResponse:
        found, behind = await self._browsing.definitions(page(request.page_size, request.page_token))
        return pb.ListDefinitionsResponse(definitions=map(wire.definition_message, found), next_page_token=behind)

    async def RequestDataset(self, request: pb.RequestDatasetRequest, context: Any) -> pb.RequestDatasetResponse:
        view = await self._registry.request_dataset(
            request.dataset_name,
            request.handler_version,
            request.config_json,
            request_id=request.request_id,
            requester=request.requester,
            time_to_live_s=wire.time_to_live_s(request.time_to_live),
            retry=request.retry,
        )
        reach("request_written")
        return pb.RequestDatasetResponse(request=wire.request_message(view))

    async def GetRequest(self, request: pb.GetRequestRequest, context: Any) -> pb.GetRequestResponse:
        view = await self._registry.get_request(request.name)
        return pb.GetRequestResponse(request=wire.request_message(view))

    async def ListRequests(self, request: pb.ListRequestsRequest, context: Any) -> pb.ListRequestsResponse:
        asked = page(request.page_size, request.page_token)
        found, behind = await self._browsing.requests(asked, request.dataset_name, request.active_only)
        return pb.ListRequestsResponse(requests=map(wire.request_message, found), next_page_token=behind)

    async def WatchRequest(
        self, request: pb.WatchRequestRequest, context: Any
    ) -> AsyncIterator[pb.WatchRequestResponse]:
        async for view in self._registry.watch_request(request.name):
            yield view.once(_watched_request)

    async def CancelRequest(self, request: pb.CancelRequestRequest, context: Any) -> pb.CancelRequestResponse:
        view = await self._registry.cancel_request(request.name)
        return pb.CancelRequestResponse(request=wire.request_message(view))

    async def ResolveDataset(
        self, request: pb.ResolveDatasetRequest, context: Any
    ) -> AsyncIterator[pb.ResolveDatasetResponse]:
        async for stage in self._inquiries.resolve(request.dataset_name, request.handler_version, request.config_json):
            if isinstance(stage, Resolution):
                yield pb.ResolveDatasetResponse(resolution=_resolution(stage))
            else:
                yield pb.ResolveDatasetResponse(progress=wire.progress_message(stage))

    async def PreviewDataset(
        self, request: pb.PreviewDatasetRequest, context: Any
    ) -> AsyncIterator[pb.PreviewDatasetResponse]:
        stages = self._inquiries.preview(
            request.dataset_name, request.handler_version, request.config_json, request.sample_count
        )
        async for stage in stages:
            png = base64.b64decode(stage.work.result.get("png", "")) if stage.work.state == WorkState.DONE else b""
            yield pb.PreviewDatasetResponse(progress=None if png else wire.progress_message(stage), png=png)

    async def GetDataset(self, request: pb.GetDatasetRequest, context: Any) -> pb.GetDatasetResponse:
        view = await self._registry.get_dataset(request.name)
        return pb.GetDatasetResponse(dataset=wire.dataset_message(view))

    async def ListDatasets(self, request: pb.ListDatasetsRequest, context: Any) -> pb.ListDatasetsResponse:
        state = wire.dataset_state(request.state)
        asked = page(request.page_size, request.page_token)
        found, behind = await self._browsing.datasets(asked, request.dataset_name, state)
        return pb.ListDatasetsResponse(datasets=map(wire.dataset_message, found), next_page_token=behind)

    async def WatchDataset(
        self, request: pb.WatchDatasetRequest, context: Any
    ) -> AsyncIterator[pb.WatchDatasetResponse]:
        async for view in self._registry.watch_dataset(request.name):
            yield view.once(_watched_dataset)

    async def PinDataset(self, request: pb.PinDatasetRequest, context: Any) -> pb.PinDatasetResponse:
        return pb.PinDatasetResponse(dataset=wire.dataset_message(await self._keeping.pin(request.name, True)))

    async def UnpinDataset(self, request: pb.UnpinDatasetRequest, context: Any) -> pb.UnpinDatasetResponse:
        return pb.UnpinDatasetResponse(dataset=wire.dataset_message(await self._keeping.pin(request.name, False)))

    async def DeleteDataset(self, request: pb.DeleteDatasetRequest, context: Any) -> pb.DeleteDatasetResponse:
        await self._keeping.delete(request.name)
        return pb.DeleteDatasetResponse()

    async def VerifyDataset(
        self, request: pb.VerifyDatasetRequest, context: Any
    ) -> AsyncIterator[pb.VerifyDatasetResponse]:
        stages = self._keeping.verify(request.name, full=request.full, rebuild_count=request.rebuild_count)
        async for stage in stages:
            yield _verify_stage(stage)

    async def GetDownloadPlan(self, request: pb.GetDownloadPlanRequest, context: Any) -> pb.GetDownloadPlanResponse:
        plan = await self._downloads.plan(request.name)
        return pb.GetDownloadPlanResponse(
            dataset=wire.dataset_message(plan.view),
            url=plan.url,
            expire_time=wire.moment(plan.expire_time),
            manifest_offset=plan.view.dataset.manifest_offset,
            manifest_size_bytes=plan.view.dataset.manifest_size_bytes,
            path=plan.path if is_of_this_machine(context.peer()) else "",
        )

    async def ReadShard(self, request: pb.ReadShardRequest, context: Any) -> AsyncIterator[pb.ReadShardResponse]:
        async for chunk in self._downloads.read(request.name, request.offset, request.size_bytes):
            yield pb.ReadShardResponse(data=chunk)

    async def ReportDownload(self, request: pb.ReportDownloadRequest, context: Any) -> pb.ReportDownloadResponse:
        download = Download(
            id=request.download_id,
            requester=request.requester,
            size_bytes=request.size_bytes,
            elapsed_s=request.elapsed.ToMilliseconds() / 1e3,
        )
        await self._downloads.report(request.name, download)
        return pb.ReportDownloadResponse()

    async def ImportDataset(
        self, requests: AsyncIterator[pb.ImportDatasetRequest], context: Any
    ) -> pb.ImportDatasetResponse:
        view = await self._importing.take(*await arrival_and_chunks(requests))
        return pb.ImportDatasetResponse(dataset=wire.dataset_message(view))

    async def ReadLog(self, request: pb.ReadLogRequest, context: Any) -> AsyncIterator[pb.ReadLogResponse]:
        async for text, behind in self._browsing.log(request.name, request.offset, request.follow):
            yield pb.ReadLogResponse(text=text, next_offset=behind)

    async def ListHandlers(self, request: pb.ListHandlersRequest, context: Any) -> pb.ListHandlersResponse:
        shown, behind = slice_page(await self._browsing.handlers(), page(request.page_size, request.page_token))
        return pb.ListHandlersResponse(handlers=[wire.handler_message(*each) for each in shown], next_page_token=behind)

    async def GetHandler(self, request: pb.GetHandlerRequest, context: Any) -> pb.GetHandlerResponse:
        wait_s = answer_within_s(context.time_remaining())
        found = await self._browsing.handler(request.name, request.version or "latest", wait_s)
        return pb.GetHandlerResponse(handler=wire.handler_message(*found))

    async def RelockRepository(
        self, request: pb.RelockRepositoryRequest, context: Any
    ) -> AsyncIterator[pb.RelockRepositoryResponse]:
        async for stage in self._relocking.relock(request.repository, request.version or "latest"):
            yield wire.relock_message(stage)

    async def ListRawDatasets(self, request: pb.ListRawDatasetsRequest, context: Any) -> pb.ListRawDatasetsResponse:
        shown, behind = slice_page(await self._browsing.raw_datasets(), page(request.page_size, request.page_token))
        return pb.ListRawDatasetsResponse(
            raw_datasets=[wire.raw_dataset_message(*each) for each in shown], next_page_token=behind
        )

    async def ScanRawDataset(
        self, request: pb.ScanRawDatasetRequest, context: Any
    ) -> AsyncIterator[pb.ScanRawDatasetResponse]:
        async for stage in self._inquiries.scan(request.name):
            yield pb.ScanRawDatasetResponse(progress=wire.progress_message(stage))
        raw = (await self._browsing.raw_datasets())[request.name]
        yield pb.ScanRawDatasetResponse(raw_dataset=wire.raw_dataset_message(*raw))

    async def GetUsage(self, request: pb.GetUsageRequest, context: Any) -> pb.GetUsageResponse:
        found, behind = await self._browsing.usage(page(request.page_size, request.page_token), *asked_usage(request))
        return pb.GetUsageResponse(usages=map(usage_message, found), next_page_token=behind)

    async def ListRunners(self, request: pb.ListRunnersRequest, context: Any) -> pb.ListRunnersResponse:
        found, behind = await self._browsing.runners(page(request.page_size, request.page_token))
        return pb.ListRunnersResponse(runners=map(wire.runner_message, found), next_page_token=behind)

    async def GetHealthReport(self, request: pb.GetHealthReportRequest, context: Any) -> pb.GetHealthReportResponse:
        return health_message(await self._health.look(bearer(context.invocation_metadata())))


def answer_within_s(remaining_s: float | None) -> float | None:
    """Return how long an answer may take so that it still reaches a caller with a deadline."""
    return None if remaining_s is None else max(remaining_s - min(1.0, remaining_s / 10), 0.0)


def _watched_request(view: RequestView) -> pb.WatchRequestResponse:
    return pb.WatchRequestResponse(request=wire.request_message(view))


def _watched_dataset(view: DatasetView) -> pb.WatchDatasetResponse:
    return pb.WatchDatasetResponse(dataset=wire.dataset_message(view))


def _resolution(found: Resolution) -> pb.Resolution:
    return pb.Resolution(
        key=found.key,
        hit=found.hit,
        reason=found.reason,
        preimage_json=found.preimage,
        dataset=wire.dataset_message(found.dataset) if found.dataset else None,
        nearest=map(explained.near_message, found.explanation.nearest),
        cost=explained.cost_message(found.explanation.cost),
    )


def _verify_stage(stage: ReadSoFar | WorkView | VerifyReport) -> pb.VerifyDatasetResponse:
    match stage:
        case ReadSoFar():
            progress = pb.Progress(
                stage=pb.STAGE_CHECKING, shards_done=stage.shards_read, shard_count=stage.shard_count
            )
            return pb.VerifyDatasetResponse(progress=progress)
        case VerifyReport():
            report = pb.VerifyReport(
                ok=not stage.problems,
                shards_read=stage.shards_read,
                shards_rebuilt=stage.shards_rebuilt,
                problems=stage.problems,
                evicted=stage.evicted,
            )
            return pb.VerifyDatasetResponse(report=report)
        case _:
            return pb.VerifyDatasetResponse(progress=wire.progress_message(stage))
