"""The service's RPCs: proto in, call, proto out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from darkroom.inpainting.v1 import inpainting_pb2 as pb
from darkroom.inpainting.v1 import inpainting_pb2_grpc
from inpainting import wire
from inpainting.batch_jobs import BatchJobs
from inpainting.inpainter import Inpainter
from inpainting.kept_photos import KeptPhotos
from inpainting.listing import slice_page
from inpainting.model_catalog import ModelCatalog
from inpainting.model_intake import ModelIntake
from inpainting.photo_transfer import PhotoTransfer
from inpainting.task import Task
from inpainting.work_queue import WorkQueue


class InpaintingServicer(inpainting_pb2_grpc.InpaintingServiceServicer):  # type: ignore[misc]
    """See `InpaintingService` in `darkroom/inpainting/v1/inpainting.proto`."""

    def __init__(
        self,
        inpainter: Inpainter,
        transfer: PhotoTransfer,
        kept: KeptPhotos,
        jobs: BatchJobs,
        catalog: ModelCatalog,
        intake: ModelIntake,
        queue: WorkQueue,
    ) -> None:
        self._inpainter = inpainter
        self._transfer = transfer
        self._kept = kept
        self._jobs = jobs
        self._catalog = catalog
        self._intake = intake
        self._queue = queue

    async def UploadPhoto(self, requests: AsyncIterator[pb.UploadPhotoRequest], context: Any) -> pb.UploadPhotoResponse:
        name, expire_s = await self._transfer.upload(each.chunk async for each in requests)
        return pb.UploadPhotoResponse(name=name, expire_time=wire.moment(expire_s))

    async def ReadPhoto(self, request: pb.ReadPhotoRequest, context: Any) -> AsyncIterator[pb.ReadPhotoResponse]:
        async for chunk in self._transfer.download(request.name):
            yield pb.ReadPhotoResponse(chunk=chunk)

    async def Inpaint(self, request: pb.InpaintRequest, context: Any) -> pb.InpaintResponse:
        outcome = await self._inpainter.inpaint(wire.task_value(request), time_left_s=context.time_remaining())
        return await asyncio.to_thread(wire.outcome_message, outcome, self._kept)

    async def WatchInpaint(
        self, request: pb.WatchInpaintRequest, context: Any
    ) -> AsyncIterator[pb.WatchInpaintResponse]:
        events = self._inpainter.watch(
            wire.task_value(request), previews=request.previews, time_left_s=context.time_remaining()
        )
        async for event in events:
            yield await asyncio.to_thread(wire.watch_message, event, self._kept)

    async def InpaintBatch(
        self, requests: AsyncIterator[pb.InpaintBatchRequest], context: Any
    ) -> AsyncIterator[pb.InpaintBatchResponse]:
        async for finished in self._inpainter.fill_stream(_items(requests)):
            yield await asyncio.to_thread(wire.finished_message, finished, self._kept)

    async def StartBatchJob(self, request: pb.StartBatchJobRequest, context: Any) -> pb.StartBatchJobResponse:
        return pb.StartBatchJobResponse(job=wire.job_message(await self._jobs.start(wire.job_value(request))))

    async def WatchBatchJob(
        self, request: pb.WatchBatchJobRequest, context: Any
    ) -> AsyncIterator[pb.WatchBatchJobResponse]:
        async for view in self._jobs.watch(request.name):
            yield pb.WatchBatchJobResponse(job=wire.job_message(view))

    async def CancelBatchJob(self, request: pb.CancelBatchJobRequest, context: Any) -> pb.CancelBatchJobResponse:
        return pb.CancelBatchJobResponse(job=wire.job_message(await self._jobs.cancel(request.name)))

    async def ListModels(self, request: pb.ListModelsRequest, context: Any) -> pb.ListModelsResponse:
        models = await asyncio.to_thread(self._catalog.models)
        shown, behind = slice_page(models, lambda model: model.name, request.page_size, request.page_token)
        return pb.ListModelsResponse(models=map(wire.model_message, shown), next_page_token=behind)

    async def GetModel(self, request: pb.GetModelRequest, context: Any) -> pb.GetModelResponse:
        return pb.GetModelResponse(model=wire.model_message(await asyncio.to_thread(self._catalog.model, request.name)))

    async def AddModel(self, requests: AsyncIterator[pb.AddModelRequest], context: Any) -> pb.AddModelResponse:
        parts = ((each.name, each.file_name, each.io, each.chunk) async for each in requests)
        return pb.AddModelResponse(model=wire.model_message(await self._intake.add(parts)))

    async def RemoveModel(self, request: pb.RemoveModelRequest, context: Any) -> pb.RemoveModelResponse:
        await asyncio.to_thread(self._catalog.remove, request.name)
        return pb.RemoveModelResponse()

    async def SetDefaultModel(self, request: pb.SetDefaultModelRequest, context: Any) -> pb.SetDefaultModelResponse:
        model = await asyncio.to_thread(self._catalog.set_default, request.name)
        return pb.SetDefaultModelResponse(model=wire.model_message(model))

    async def GetMetrics(self, request: pb.GetMetricsRequest, context: Any) -> pb.GetMetricsResponse:
        return wire.metrics_message(self._queue, self._catalog.batch_sizes())


async def _items(requests: AsyncIterator[pb.InpaintBatchRequest]) -> AsyncIterator[tuple[str, Task]]:
    async for request in requests:
        yield request.id, wire.task_value(request)
