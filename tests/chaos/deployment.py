"""What is harmed: two registries on one catalogue, two runners, and a store, all of real processes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import psutil

from darkroom_client import Client
from dataset_registry.catalog_sqlalchemy import SqlCatalog
from service_kit.crash_points import REGISTRY_POINTS, RUNNER_POINTS

from ..conftest import MinioServer, find_minio
from ..e2e.house import House
from ..ports import free_port
from ..postgres import PostgresServer, find_postgres
from .clock import Clock, forget_the_dead
from .parts import Part, Supervisor
from .store_proxy import StoreProxy

LEASE_S = 5.0
START_TIMEOUT_S = 240.0
# The collector should meet much garbage, and nothing that is still being written.
COLLECT_EVERY_S, COLLECT_MIN_AGE_S = 2.0, 10.0
# The files of the embedded store have these moments; a bucket has none of them.
LOCAL_STORE_POINTS = ("object_written", "object_renamed")


class ChaosPostgres(PostgresServer):
    """A PostgreSQL server on a clock of its own, which can be set."""

    def __init__(self, folder: Path, clock: Clock | None) -> None:
        self._clock = clock
        super().__init__(find_postgres(), folder)

    def kill(self) -> None:
        """Kill the server and its processes with signal 9, at which even they can do nothing more."""
        if self._process:
            family = psutil.Process(self._process.pid).children(recursive=True)
            self._process.kill()
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            self._process.wait()
            self._process = None

    def _prefix(self) -> list[str]:
        # Behind the change of user: what the library shares belongs to whoever started with it.
        variables = self._clock.preloaded if self._clock else {}
        return [*super()._prefix(), "env", *(f"{name}={value}" for name, value in variables.items())]


class Deployment(House):
    """Everything that is harmed. `supervisor` starts again what dies."""

    def __init__(self, folder: Path, raw: Path, stack: ExitStack, *, database: str, bucket: bool, clocks: bool) -> None:
        """``bucket``: the store is MinIO behind a proxy, else a folder; ``clocks``: those of processes can be set."""
        folder.mkdir(parents=True, exist_ok=True)
        stack.callback(forget_the_dead)
        self.database = database
        # SQLite goes by the registries' own.
        self.clocks = {name: Clock(folder / f"{name}.clock") for name in ("registries", "runners")} if clocks else {}
        self.postgres: ChaosPostgres | None = None
        self.proxy: StoreProxy | None = None
        self.database_url = ""
        store = None
        settings: dict[str, object] = {
            "LEASE_S": LEASE_S,
            "COLLECT_EVERY_S": COLLECT_EVERY_S,
            "COLLECT_MIN_AGE_S": COLLECT_MIN_AGE_S,
        }
        if database == "postgresql":
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="darkroom-chaos-postgres-")))
            place.chmod(0o755)
            if clocks:
                self.clocks["postgresql"] = Clock(place / "postgres.clock")
            cluster = place / "cluster"
            cluster.mkdir()
            self.postgres = ChaosPostgres(cluster, self.clocks.get("postgresql"))
            stack.callback(self.postgres.stop)
            self.postgres.start()
            self.database_url = self.postgres.new_database()
            settings["DATABASE_URL"] = self.database_url
        if bucket:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="darkroom-chaos-minio-")))
            minio = MinioServer(find_minio(), place)
            stack.callback(minio.stop)
            minio.start()
            self.proxy = StoreProxy(minio.endpoint, seed=0)
            stack.callback(self.proxy.close)
            self.direct_store = minio.environment("", "chaos")
            store = self.direct_store | {"STORE_ENDPOINT": self.proxy.endpoint, "STORE_TIMEOUT_S": "4"}
        super().__init__(folder, raw, store, **settings)
        if not bucket:
            self.direct_store = self.store
        self.other_server = f"localhost:{free_port()}"
        # By a name of its own here, as `House` has it for one.
        settings |= {"LISTEN": self.other_server, "HOME": folder / "registry", **self.store}
        self.other = self._process("registry-b", "dataset_registry", "DARKROOM_REGISTRY_", settings)
        for name in ("runner-1", "runner-2"):
            self.add_runner(name, REGISTRY=self.both)
        variables = {name: clock.of_python for name, clock in self.clocks.items()}
        self.registries = [Part(process, variables.get("registries", {})) for process in (self.registry, self.other)]
        self.runner_parts = [Part(process, variables.get("runners", {})) for process in self.runners.values()]
        self.supervisor = Supervisor([*self.registries, *self.runner_parts])
        stack.callback(self.end)

    @property
    def both(self) -> str:
        """The registries' addresses, as a client or a runner has them."""
        return f"{self.server},{self.other_server}"

    def open_catalog(self) -> SqlCatalog:
        """Open the catalogue beside the registries."""
        return SqlCatalog(self.database_url or f"sqlite:///{self.folder / 'registry' / 'catalog.sqlite'}")

    def begin(self) -> None:
        """Start everything and define what is asked for."""
        if self.database_url:
            catalog = self.open_catalog()
            catalog.migrate()
            catalog.close()
        for part in self.supervisor.parts:
            part.start()
        self.wait_for_handlers(START_TIMEOUT_S)
        with Client(self.both, self.cache, "chaos@here") as client:
            client.define("street", "test/slow", {"photos": "street"})
            client.define("files", "test/seed", {"photos": "street"})
        self.supervisor.start()

    def arm(self) -> list[str]:
        """Have each part die at its share of the named points, in its next lives; return all of these."""
        everywhere = [*REGISTRY_POINTS, *(each for each in RUNNER_POINTS if self.has(each))]
        for parts, points in ((self.registries, REGISTRY_POINTS), (self.runner_parts, RUNNER_POINTS)):
            for number, point in enumerate(filter(self.has, points)):
                parts[number % len(parts)].points.append(point)
            for part in parts:
                part.kill()
        return everywhere

    def has(self, point: str) -> bool:
        """Whether this deployment has such a moment."""
        return self.proxy is None or point not in LOCAL_STORE_POINTS

    def disarm(self) -> None:
        """Let nobody die any more."""
        for part in self.supervisor.parts:
            part.points.clear()
            part.kill()

    def stop_everyone(self) -> None:
        """Stop every part as an operator does; the database and the store stay."""
        self.supervisor.end()
        for part in self.supervisor.parts:
            part.process.stop()

    def workers(self) -> list[psutil.Process]:
        """Return the processes in which handlers run."""
        found = []
        for part in self.runner_parts:
            with contextlib.suppress(psutil.Error):
                for child in psutil.Process(part.process.pid).children(recursive=True):
                    with contextlib.suppress(psutil.Error):
                        if "dataset_handlers.child" in " ".join(child.cmdline()):
                            found.append(child)
        return found

    def operate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the registry's as an operator does, on the store itself."""
        values = {"HOME": self.folder / "registry", **self.direct_store}
        if self.database_url:
            values["DATABASE_URL"] = self.database_url
        command = [sys.executable, "-m", "dataset_registry", *arguments]
        environment = self.variables({f"DARKROOM_REGISTRY_{name}": str(value) for name, value in values.items()})
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)

    def end(self) -> None:
        self.supervisor.end()
        super().end()
        self.other.end()
