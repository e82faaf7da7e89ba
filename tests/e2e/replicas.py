"""Two registries on one catalogue, with what their tests ask of them: who watches there, what stands in the rows."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from darkroom_client import Client
from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.records import Work

from ..ports import free_port
from .house import House
from .photos import make_photos
from .process import Process, until

KINDS = ("sqlite", "postgresql")


class ReplicatedHouse(House):
    """A house with a second registry on the same catalogue and store."""

    def __init__(self, folder: Path, raw: Path, database_url: str = "", **registry: object) -> None:
        """``database_url``: PostgreSQL's; empty: SQLite, one file for both registries."""
        self._database_url = database_url or f"sqlite:///{folder / 'registry' / 'catalog.sqlite'}"
        if database_url:
            registry |= {"DATABASE_URL": database_url}
        self._metrics_ports = {name: free_port() for name in ("registry", "registry-b")}
        first, second = ({"METRICS_LISTEN": f"localhost:{port}"} for port in self._metrics_ports.values())
        super().__init__(folder, raw, None, **registry, **first)
        self.other_server = f"localhost:{free_port()}"
        settings = {"LISTEN": self.other_server, "HOME": folder / "registry", **self.store, **registry, **second}
        self.other: Process = self._process("registry-b", "dataset_registry", "DARKROOM_REGISTRY_", settings)
        self.other_client = Client(self.other_server, folder / "cache-b", "tester@there")

    @property
    def both(self) -> str:
        return f"{self.server},{self.other_server}"

    @property
    def registries(self) -> tuple[Process, Process]:
        return self.registry, self.other

    def start(self, runner: str = "runner-1") -> ReplicatedHouse:
        """Start both at once (on SQLite both find an empty home, and one makes the tables) and a runner of both."""
        self.registry.start()
        self.other.start()
        self.start_runner(runner, REGISTRY=self.both)
        self.wait_for_handlers()
        until(lambda: self.other.events("registry_ready"), "the second registry", 60.0)
        return self

    def start_again(self, registry: Process) -> None:
        """Start a registry that was stopped or killed, and wait until it answers."""
        lives = len(registry.events("registry_ready"))
        registry.start()
        until(lambda: len(registry.events("registry_ready")) > lives, f"the {registry.name}'s return", 60.0)

    def watchers(self, registry: Process) -> int:
        """Return how many watch at one of the two."""
        with urllib.request.urlopen(
            f"http://localhost:{self._metrics_ports[registry.name]}/metrics", timeout=30
        ) as page:
            families = text_string_to_metric_families(page.read().decode())
            return next(int(each.samples[0].value) for each in families if each.name == "darkroom_watchers")

    def works(self, kind: str) -> list[Work]:
        """Return the rows of work of a kind, as they stand in the catalogue."""
        catalog = SqlCatalog(self._database_url)
        try:
            return [each for each in catalog.read(lambda tx: tx.find(Work)) if each.kind == kind]
        finally:
            catalog.close()

    def end(self) -> None:
        self.other_client.close()
        super().end()
        self.other.end()


def open_replicas(
    kind: str, request: pytest.FixtureRequest, factory: pytest.TempPathFactory
) -> Iterator[ReplicatedHouse]:
    """Yield a started house for the tests of one file, with raw datasets of 1, 48 and 240 photos."""
    folder = factory.mktemp(kind)
    for name, count in (("one", 1), ("street", 48), ("town", 240)):
        make_photos(folder / "raw" / name, count)
    url = ""
    if kind == "postgresql":
        server = request.getfixturevalue("postgres_server")
        url = server.new_database(request.getfixturevalue("_migrated_template"))
    # A killed registry's return must not wait for a lease, nor a hit for a walk.
    house = ReplicatedHouse(folder / "house", folder / "raw", url, LEASE_S=10, RAW_MAX_AGE_S=3600, CANCEL_GRACE_S=0)
    try:
        house.start()
        for name in ("one", "street", "town"):
            house.client.define(name, "test/slow", {"photos": name})
        yield house
    finally:
        house.end()
