"""Starts the inpainting service: reads the settings, chooses the parts, warms up, serves.

python -m inpainting
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

import grpc
import structlog
from prometheus_client import REGISTRY

from darkroom.inpainting.v1 import inpainting_pb2, inpainting_pb2_grpc
from inpainting import codec
from inpainting.added_models import AddedModels
from inpainting.batch_job_files import BatchJobFiles
from inpainting.batch_jobs import BatchJobs
from inpainting.inpainter import Inpainter
from inpainting.kept_photos import KeptPhotos
from inpainting.metrics import QueueCollector
from inpainting.model_catalog import ModelCatalog
from inpainting.model_intake import ModelIntake
from inpainting.photo_sources import ServedSources
from inpainting.photo_transfer import PhotoTransfer
from inpainting.retouching import Retouching
from inpainting.servicer import InpaintingServicer
from inpainting.settings import InpaintingSettings
from inpainting.work_queue import WorkQueue
from service_kit.errors import DarkroomError
from service_kit.logging import configure_logging
from service_kit.metrics import MetricsPage
from service_kit.object_store_settings import open_object_store
from service_kit.security import open_security
from service_kit.serving import Serving, until_signalled
from service_kit.settings import read_settings
from service_kit.spare_memory import give_back_for_ever, keep_few_arenas
from service_kit.tracing import start_tracing, stop_tracing

log = structlog.get_logger()

SERVICES = (inpainting_pb2.DESCRIPTOR.services_by_name["InpaintingService"].full_name,)
COLLECT_EVERY_S = 60.0
STOP_S = 5.0


def main() -> int:
    """Serve until a signal."""
    settings = read_settings(InpaintingSettings)
    configure_logging(settings.log_level)
    if sys.argv[1:]:
        sys.stderr.write(__doc__ or "")
        return 2
    keep_few_arenas()
    try:
        asyncio.run(serve(settings))
    except DarkroomError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


async def serve(settings: InpaintingSettings) -> None:
    """Answer until a signal."""
    start_tracing("darkroom-inpainting")
    security = open_security(settings, settings.listen, "DARKROOM_INPAINTING_")
    settings.home.mkdir(parents=True, exist_ok=True)
    home = settings.home.absolute()
    store = open_object_store(settings, home)
    kept = KeptPhotos(home / "photos", settings.kept_bytes, settings.kept_age_s, settings.max_photo_bytes)
    catalog = ModelCatalog(AddedModels(home / "models"), settings.batch_images)
    intake = ModelIntake(catalog, home / "models", settings.max_model_bytes)
    sources = ServedSources(kept, store, settings.max_photo_bytes)
    retouching = Retouching(catalog, sources, settings.max_pixels)
    queue = WorkQueue(settings.concurrency, settings.max_waiting, settings.max_waiting_bytes)
    inpainter = Inpainter(retouching, queue, settings.concurrency)
    jobs = BatchJobs(inpainter, retouching, sources, store, BatchJobFiles(home / "jobs"), settings.concurrency)
    transfer = PhotoTransfer(kept, settings.max_pixels)

    def register(server: grpc.aio.Server) -> None:
        servicer = InpaintingServicer(inpainter, transfer, kept, jobs, catalog, intake, queue)
        inpainting_pb2_grpc.add_InpaintingServiceServicer_to_server(servicer, server)

    metrics = MetricsPage(settings, "DARKROOM_INPAINTING_")
    REGISTRY.register(QueueCollector(queue, catalog))
    serving = Serving(settings.listen, SERVICES, register, security, metered=metrics.on)
    metrics.start()
    await serving.start(ready=False)
    log.info("inpainting_listens", listen=settings.listen, port=serving.port)
    stopping = asyncio.create_task(until_signalled())
    rounds = [
        asyncio.create_task(each)
        for each in (become_ready(serving, catalog, jobs), collect_for_ever(kept), give_back_for_ever())
    ]
    # A round that dies takes the process with it: whoever started it starts it again.
    done, _ = await asyncio.wait([stopping, *rounds], return_when=asyncio.FIRST_COMPLETED)
    for task in (*rounds, stopping):
        task.cancel()
    await jobs.close()
    await serving.stop()
    metrics.stop()
    await asyncio.to_thread(queue.stop, STOP_S)
    for task in done:
        with suppress(asyncio.CancelledError):
            task.result()
    await asyncio.to_thread(stop_tracing)
    log.info("inpainting_stopped")


async def become_ready(serving: Serving, catalog: ModelCatalog, jobs: BatchJobs) -> None:
    """Warm the default model up, say in health that work is welcome, and wait for ever."""
    name = catalog.default
    try:
        await asyncio.to_thread(codec.warm_up)
        await asyncio.to_thread(catalog.warm_up)
    except DarkroomError as error:
        # Other models may still work: better a service without its default than none.
        log.error("default_model_broken", model=name, message=error.message)
    await serving.set_ready(True)
    log.info("inpainting_ready", model=name)
    await jobs.resume()
    await asyncio.Event().wait()


async def collect_for_ever(kept: KeptPhotos) -> None:
    """Remove kept photos that nobody uses, now and then."""
    while True:
        removed = await asyncio.to_thread(kept.collect)
        if removed:
            log.info("kept_photos_removed", count=removed)
        await asyncio.sleep(COLLECT_EVERY_S)


if __name__ == "__main__":
    sys.exit(main())
