"""A whole inpainting service in this process, on real photos: scikit-image ships them."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import pytest
from PIL import Image
from skimage import data

from darkroom.inpainting.v1 import inpainting_pb2_grpc
from inpainting.added_models import AddedModels
from inpainting.batch_job_files import BatchJobFiles
from inpainting.batch_jobs import BatchJobs
from inpainting.inpainter import Inpainter
from inpainting.kept_photos import KeptPhotos
from inpainting.model_catalog import ModelCatalog
from inpainting.model_intake import ModelIntake
from inpainting.photo_sources import ServedSources
from inpainting.photo_transfer import PhotoTransfer
from inpainting.retouching import Retouching
from inpainting.servicer import InpaintingServicer
from inpainting.work_queue import WorkQueue
from service_kit.object_store import ObjectStore
from service_kit.object_store_local import LocalObjectStore
from service_kit.serving import Serving

SERVICE = "darkroom.inpainting.v1.InpaintingService"
MAX_PIXELS = 4_000_000
MESSAGES = [("grpc.max_receive_message_length", 16 << 20), ("grpc.max_send_message_length", 16 << 20)]


@dataclass
class House:
    """The parts of one service, and a stub that reaches it."""

    stub: inpainting_pb2_grpc.InpaintingServiceStub
    channel: grpc.aio.Channel
    serving: Serving
    queue: WorkQueue
    kept: KeptPhotos
    catalog: ModelCatalog
    store: ObjectStore
    inpainter: Inpainter
    jobs: BatchJobs


@pytest.fixture
async def make_house(tmp_path: Path) -> AsyncIterator[Callable[..., object]]:
    """Return a function that starts a service; it takes the queue's bounds."""
    running: list[tuple[Serving, WorkQueue, grpc.aio.Channel, BatchJobs]] = []

    async def make(
        concurrency: int = 2, max_waiting: int = 100, max_waiting_bytes: int = 1 << 30, store: ObjectStore | None = None
    ) -> House:
        home = tmp_path / f"home-{len(running)}"
        store = store or LocalObjectStore(home / "objects")
        kept = KeptPhotos(home / "photos", 1 << 30, 3600, 64 << 20)
        catalog = ModelCatalog(AddedModels(home / "models"), 8)
        sources = ServedSources(kept, store, 64 << 20)
        queue = WorkQueue(concurrency, max_waiting, max_waiting_bytes)
        retouching = Retouching(catalog, sources, MAX_PIXELS)
        inpainter = Inpainter(retouching, queue, concurrency)
        jobs = BatchJobs(inpainter, retouching, sources, store, BatchJobFiles(home / "jobs"), concurrency)
        servicer = InpaintingServicer(
            inpainter,
            PhotoTransfer(kept, MAX_PIXELS),
            kept,
            jobs,
            catalog,
            ModelIntake(catalog, home / "models", 64 << 20),
            queue,
        )
        serving = Serving(
            "localhost:0",
            [SERVICE],
            lambda server: inpainting_pb2_grpc.add_InpaintingServiceServicer_to_server(servicer, server),
        )
        await serving.start()
        channel = grpc.aio.insecure_channel(f"localhost:{serving.port}", options=MESSAGES)
        running.append((serving, queue, channel, jobs))
        stub = inpainting_pb2_grpc.InpaintingServiceStub(channel)
        return House(stub, channel, serving, queue, kept, catalog, store, inpainter, jobs)

    yield make
    for serving, queue, channel, jobs in running:
        await jobs.close()
        await channel.close()
        await serving.stop(0.1)
        queue.stop(5)


@pytest.fixture
async def house(make_house: Callable[..., object]) -> House:
    return await make_house()  # type: ignore[no-any-return, misc]


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """A photo, uint8 `(512, 512, 3)`."""
    return data.astronaut()


@pytest.fixture(scope="session")
def photo_png(astronaut: np.ndarray) -> bytes:
    return encoded(astronaut)


def encoded(pixels: np.ndarray, format: str = "png") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format)
    return buffer.getvalue()


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))
