"""A registry in this process, on SQLite and a local store, and the hand of a runner to move it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import pytest

from darkroom.dataset.v1 import dataset_pb2_grpc
from dataset_registry.archives import Archives
from dataset_registry.browsing import Browsing
from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.describing import Describing
from dataset_registry.dispatch import Dispatch
from dataset_registry.downloads import Downloads
from dataset_registry.health_report import HealthReport
from dataset_registry.importing import Importing
from dataset_registry.inquiries import Inquiries
from dataset_registry.keeping import Keeping
from dataset_registry.recipes import Recipes
from dataset_registry.records import Runner, Work
from dataset_registry.registry import Registry
from dataset_registry.relocking import Relocking
from dataset_registry.repositories_all import AllRepositories
from dataset_registry.repositories_git import GitRepositories
from dataset_registry.repositories_served import ServedRepositories
from dataset_registry.servicer import DatasetServicer
from dataset_registry.upkeep import Upkeep
from dataset_registry.watching import Board
from service_kit.git import Git, GitRepository
from service_kit.object_store_local import LocalObjectStore
from service_kit.serving import Serving

DESCRIPTION = {
    "handlers": {
        "inpainting": {
            "description": "Photo and mask.",
            "roles": ["photos"],
            "options": [
                {"name": "image_size", "default": [256, 256], "schema": {"type": "size"}},
                {"name": "gain", "default": 1.0, "schema": {"type": "number", "minimum": 0}},
                {"name": "batch_size", "default": 32, "schema": {"type": "integer"}, "read_time": True},
            ],
        }
    },
    "dataset_handlers_version": "0.1.0",
    "lock_digest": "",
    "platform": {"python": "3.11", "os": "linux", "arch": "x86_64"},
}
RUNNER = Runner(
    id="studio",
    cores=2,
    repositories=[{"name": "stock", "commit": "c1", "version": "0.1.0"}],
    raw_datasets={"street": 10},
    instance="first",
)
LEASE_S = 0.6
REF_MAX_AGE_S = 0.5


class House:
    """Every part of a registry, and a runner's moves."""

    def __init__(self, folder: Path, url: str = "") -> None:
        """``url``: of another database than SQLite in the folder."""
        self.catalog = SqlCatalog(url or f"sqlite:///{folder / 'catalog.sqlite'}")
        self.catalog.migrate()
        self.store = LocalObjectStore(folder / "objects")
        self.board = Board(self.catalog)
        self.lab = folder / "lab"
        git_repositories = {"lab": GitRepository("lab", str(self.lab))}
        self.git = GitRepositories(git_repositories, Git(), ref_max_age_s=REF_MAX_AGE_S)
        repositories = AllRepositories(ServedRepositories(self.catalog), self.git)
        self.archives = Archives(self.store)
        recipes = Recipes(self.catalog, repositories)
        self.registry = Registry(self.catalog, recipes, self.archives, self.board, raw_max_age_s=10)
        self.inquiries = Inquiries(self.catalog, recipes, self.registry, self.board, raw_max_age_s=10)
        self.keeping = Keeping(self.catalog, self.registry, self.inquiries, repositories, self.archives)
        self.downloads = Downloads(self.catalog, self.registry, self.archives)
        self.describing = Describing(self.catalog, repositories, self.board)
        self.browsing = Browsing(self.catalog, self.registry, repositories, self.describing)
        self.relocking = Relocking(self.catalog, repositories, self.inquiries)
        self.dispatch = Dispatch(self.catalog, self.board, LEASE_S)
        self.upkeep = Upkeep(self.catalog, self.registry, self.board, cancel_grace_s=0.2, lease_s=0.0)

    async def claim(self, runner: Runner = RUNNER, *kinds: str, wait_s: float = 20.0) -> Work:
        work = await self.dispatch.claim(runner, kinds, wait_s)
        assert work is not None, "there was no work"
        return work

    async def described(self) -> None:
        """Finish the environment work that the first call of a runner causes, and define `street`."""
        work = await self.claim(RUNNER, "ENVIRONMENT")
        await self.dispatch.finish(f"work/{work.id}", work.fence, {"description": DESCRIPTION})
        await self.keeping.define("street", "stock/inpainting", {"photos": "street"})

    async def walked(self, digest: str = "d" * 64) -> None:
        work = await self.claim(RUNNER, "SNAPSHOT")
        found = {"digest": digest, "file_count": 10, "size_bytes": 1000}
        await self.dispatch.finish(f"work/{work.id}", work.fence, found)

    async def publish(self, work: Work, body: bytes = b"an archive") -> dict[str, Any]:
        """Put an archive that is its own manifest, and finish the build with it."""
        name = f"{work.subject}/{work.fence}/street_latest_{work.subject}.zip"
        await asyncio.to_thread(self.store.put, name, body)
        result = {
            "archive_object": name,
            "archive_size_bytes": len(body),
            "digest": hashlib.sha256(body).hexdigest(),
            "manifest_offset": 0,
            "manifest_size_bytes": len(body),
            "example_count": 10,
            "shard_count": 1,
            "splits": {"train": 10},
        }
        await self.dispatch.finish(f"work/{work.id}", work.fence, result)
        return result


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A registry with its rounds running."""
    house = House(tmp_path)
    rounds = [asyncio.create_task(each) for each in (house.board.run(), house.upkeep.run())]
    await asyncio.sleep(0)
    yield house
    for task in rounds:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    house.catalog.close()


@pytest.fixture
async def stub(house: House) -> AsyncIterator[Any]:
    """The registry's service, called over a socket."""
    importing = Importing(house.catalog, house.registry, house.store)
    servicer = DatasetServicer(
        house.registry,
        house.inquiries,
        house.keeping,
        house.downloads,
        house.browsing,
        importing,
        house.relocking,
        HealthReport(house.catalog, house.store, GitRepositories({}, Git(), 10.0), {}, None),
    )
    serving = Serving(
        "localhost:0", [], lambda server: dataset_pb2_grpc.add_DatasetServiceServicer_to_server(servicer, server)
    )
    await serving.start()
    async with grpc.aio.insecure_channel(f"localhost:{serving.port}") as channel:
        yield dataset_pb2_grpc.DatasetServiceStub(channel)
    await serving.stop(0.0)
