"""A runner with real parts against a real registry's dispatch: children, SQLite, a local store, gRPC between."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sys
import time
import uuid
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest

from darkroom.handler.v1 import handler_pb2_grpc
from dataset_registry.catalog import Where
from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.dispatch import Dispatch
from dataset_registry.records import Dataset, LogPiece, Shard, Work
from dataset_registry.servicer_runner import RunnerServicer
from dataset_registry.states import WorkState
from dataset_registry.watching import Board
from handler_runner.environment_installed import InstalledEnvironments
from handler_runner.executor_process import ProcessExecutor
from handler_runner.raw_root import RawRoot
from handler_runner.registry_link import RegistryLink
from handler_runner.runner import HandlerRunner
from handler_runner.snapshot import Snapshots
from handler_runner.workshop import Workshop
from service_kit.object_store import ObjectStore
from service_kit.object_store_local import LocalObjectStore
from service_kit.serving import Serving

LAB = Path(__file__).parent / "lab"


class RegistryHouse:
    """The registry's side for runners, on one port over stops and starts."""

    def __init__(self, folder: Path, lease_s: float) -> None:
        self.catalog = SqlCatalog(f"sqlite:///{folder / 'catalog.sqlite'}")
        self.catalog.migrate()
        self._board = Board(self.catalog)
        self._dispatch = Dispatch(self.catalog, self._board, lease_s)
        self._serving: Serving | None = None
        self._polling: asyncio.Task[None] | None = None
        self._port = 0

    @property
    def address(self) -> str:
        return f"localhost:{self._port}"

    async def start(self) -> None:
        def register(server: grpc.aio.Server) -> None:
            handler_pb2_grpc.add_RunnerServiceServicer_to_server(RunnerServicer(self._dispatch), server)

        self._serving = Serving(f"localhost:{self._port}", ["darkroom.handler.v1.RunnerService"], register)
        await self._serving.start()
        self._port = self._serving.port
        self._polling = asyncio.create_task(self._board.run())

    async def stop(self) -> None:
        if self._polling:
            self._polling.cancel()
            with suppress(asyncio.CancelledError):
                await self._polling
        if self._serving:
            await self._serving.stop(0)
        self._serving = self._polling = None

    def queue(self, kind: str, task: dict[str, Any], subject: str = "") -> str:
        """Queue work and return its id."""
        identity = uuid.uuid4().hex
        environment = task.get("build", task).get("environment", task)
        work = Work(
            id=identity,
            kind=kind,
            subject=subject or identity,
            repository=environment.get("repository", ""),
            commit=environment.get("commit", ""),
            task=task,
            create_time=time.time(),
        )
        self.catalog.write(lambda tx: tx.put(work))
        return identity

    def work(self, identity: str) -> Work:
        work = self.catalog.read(lambda tx: tx.get(Work, identity))
        assert work is not None
        return work

    def change(self, identity: str, change: Callable[[Work], Work]) -> None:
        """Change work as the registry or another runner would."""
        self.catalog.write(lambda tx: tx.put(change(tx.get(Work, identity))))

    async def until(self, condition: Callable[[], Any], timeout_s: float = 120.0) -> Any:
        """Return the condition's value once it is true."""
        deadline = time.monotonic() + timeout_s
        while not (value := condition()):
            assert time.monotonic() < deadline, "it did not come"
            await asyncio.sleep(0.02)
        return value

    async def finished(self, identity: str, timeout_s: float = 120.0) -> Work:
        """Return the work once it has ended, well or badly (tried again included)."""

        def ended() -> Work | None:
            work = self.work(identity)
            return work if work.state in (WorkState.DONE, WorkState.FAILED) or work.failure_counts else None

        return await self.until(ended, timeout_s)

    def shards(self, key: str) -> list[Shard]:
        return self.catalog.read(lambda tx: tx.find(Shard, Where("key", "=", key), order=("split", "index")))

    def log(self, subject: str) -> str:
        pieces = self.catalog.read(lambda tx: tx.find(LogPiece, Where("subject", "=", subject), order=("start",)))
        return "".join(piece.text for piece in pieces)


class Bench:
    """A raw root with photos, a store, a registry, and runners at will."""

    def __init__(self, folder: Path, registry: RegistryHouse) -> None:
        self.folder = folder
        self.registry = registry
        self.raw = folder / "raw"
        self.store: ObjectStore = LocalObjectStore(folder / "store")
        self.environments = InstalledEnvironments({"lab": LAB})
        self.runners: list[tuple[asyncio.Task[None], ProcessExecutor, RegistryLink]] = []
        self.executor: ProcessExecutor
        self.snapshots: Snapshots
        self.photos(12)

    def photos(self, count: int, name: str = "street", *, bad: int = 0) -> None:
        """Make a raw dataset of small files that are called photos."""
        (self.raw / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            path = self.raw / name / f"{number:03}.jpg"
            path.write_bytes(b"bad" if number < bad else hashlib.sha256(str(number).encode()).digest() * 20)

    def start(self, *, workers: int = 2, home: Path | None = None, stuck_after_s: float = 60.0) -> HandlerRunner:
        """Start a runner in this process."""
        home = home or self.folder / f"home-{len(self.runners)}"
        (home / "work").mkdir(parents=True, exist_ok=True)
        self.executor = ProcessExecutor(home / "children", workers, stuck_after_s)
        self.snapshots = Snapshots(home / "snapshots", 2)
        workshop = Workshop(self.environments, self.executor, RawRoot(self.raw), self.snapshots, self.store)
        link = RegistryLink(self.registry.address)
        runner = HandlerRunner(f"runner-{len(self.runners)}", "test", link, workshop, home / "work")
        self.runners.append((asyncio.create_task(runner.run()), self.executor, link))
        return runner

    async def stop(self) -> None:
        """Stop all runners, as SIGTERM would."""
        for running, executor, link in self.runners:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            await executor.close()
            await link.close()
        self.runners.clear()

    def variables(self, home: Path, **more: str) -> dict[str, str]:
        """Return the environment of a runner as a process of its own."""
        ours = {
            "REGISTRY": self.registry.address,
            "NAME": "runner-process",
            "RAW_ROOT": str(self.raw),
            "HOME": str(home),
            "STORE_DIR": str(self.folder / "store"),
            "LOCAL_REPOSITORIES": f'{{"lab": "{LAB}"}}',
            "WORKERS": "2",
            **more,
        }
        return {"PATH": os.environ["PATH"], **{f"DARKROOM_RUNNER_{name}": value for name, value in ours.items()}}

    async def process(self, home: Path, **more: str) -> asyncio.subprocess.Process:
        """Start a runner as a process of its own; its log goes to the test's output."""
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "handler_runner", env=self.variables(home, **more)
        )

    def commit(self, repository: str = "lab") -> str:
        return next(served.commit for served in self.environments.served() if served.name == repository)

    def build_task(
        self, handler: str, config: dict[str, Any] | None = None, *, key: str = "", repository: str = "lab"
    ) -> dict[str, Any]:
        """Return a task; the key is only a name here."""
        import json

        digest = Snapshots(self.folder / "test-snapshots", 2).take(self.raw / "street").digest
        return {
            "key": key or hashlib.sha256(handler.encode()).hexdigest(),
            "dataset_name": "street",
            "handler_version": "v1",
            "environment": {"repository": repository, "commit": self.commit(repository), "version": "local"},
            "handler": handler,
            "config_json": json.dumps(config or {}),
            "raw": [{"role": "photos", "raw_dataset": "street", "digest": digest}],
            "preimage_json": '{"schema":1}',
        }

    def queue_build(self, handler: str, config: dict[str, Any] | None = None, **rest: Any) -> str:
        """Queue a build with its dataset and return the work's id."""
        task = self.build_task(handler, config, **rest)
        key = task["key"]

        def step(tx: Any) -> None:
            known = tx.get(Dataset, key)
            dataset = Dataset(id=key, dataset_name="street", version="v1", revision=known.revision if known else 0)
            tx.put(replace(dataset, build_task=task, create_time=tx.now()))

        self.registry.catalog.write(step)
        return self.registry.queue("BUILD", task, key)

    def archive(self, work: Work) -> bytes:
        """Return the bytes of a finished build's archive, tested as a zip file."""
        name = work.result["archive_object"]
        assert name.startswith(f"{work.subject}/{work.fence}/")
        path = self.folder / "store" / name
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
        assert path.stat().st_size == work.result["archive_size_bytes"]
        return path.read_bytes()


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[RegistryHouse]:
    house = RegistryHouse(tmp_path, lease_s=6.0)
    await house.start()
    yield house
    await house.stop()
    house.catalog.close()


@pytest.fixture
async def bench(tmp_path: Path, registry: RegistryHouse) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path, registry)
    yield bench
    await bench.stop()


@pytest.fixture
def children_of() -> Callable[[int], list[psutil.Process]]:
    """Return the living processes below a process."""

    def living(pid: int) -> list[psutil.Process]:
        try:
            return psutil.Process(pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    return living


@pytest.fixture
def kill_process() -> Callable[[int], None]:
    return lambda pid: os.kill(pid, signal.SIGKILL)
