"""Yesterday's code at work while today's takes over: a build goes on, and yesterday's runner and client are served."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .house import COMMAND_TIMEOUT_S, Finished, House
from .process import Process, until

ROOT = Path(__file__).parents[2]
# What came right before the catalogue's second migration: other protos, other tables, no tokens, SQLite alone.
SECOND_MIGRATION = "services/dataset_registry/migrations/versions/0002_locks_and_sandboxes.py"
SOURCES = ("protos", "services", "clients")
HANDLERS = "tests/e2e/handlers"
SHARDS_BEFORE = 2


@pytest.fixture(scope="module")
def yesterday(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of yesterday with their stubs."""
    added = git("log", "-1", "--format=%H", "--diff-filter=A", "--", SECOND_MIGRATION).decode().strip()
    if not added or not (before := git("rev-list", "--parents", "-1", added).decode().split()[1:]):
        pytest.skip("needs the repository's history, of which this clone has not enough")
    folder = tmp_path_factory.mktemp("yesterday")
    archive = git("archive", before[0], *SOURCES, HANDLERS)
    subprocess.run(["tar", "--extract"], input=archive, cwd=folder, check=True, timeout=60)
    subprocess.run([sys.executable, "protos/build_stubs.py"], cwd=folder, check=True, timeout=60, capture_output=True)
    return folder


class Upgraded(House):
    """A house whose parts run yesterday's code until today's are started."""

    def __init__(self, folder: Path, raw: Path, yesterday: Path) -> None:
        super().__init__(folder, raw)
        self._old = {"PYTHONPATH": os.pathsep.join(str(yesterday / each) for each in SOURCES)}
        registry = {"LISTEN": self.server, "HOME": folder / "registry", **self.store}
        runner = {"REGISTRY": self.server, "NAME": "old", "RAW_ROOT": raw, "HOME": folder / "runner-old", **self.store}
        runner |= {"WORKERS": 2, "LOCAL_REPOSITORIES": f'{{"test": "{yesterday / HANDLERS}"}}'}
        self.old_registry = self._old_process("dataset_registry", "DARKROOM_REGISTRY_", registry)
        self.old_runner = self._old_process("handler_runner", "DARKROOM_RUNNER_", runner)

    def _old_process(self, module: str, prefix: str, settings: dict[str, object]) -> Process:
        variables = {f"{prefix}{name}": value for name, value in settings.items()}
        return self._process(f"old-{module}", module, "", variables | self._old)

    def old_darkroom(self, *arguments: str) -> Finished:
        """Run yesterday's `darkroom` command to its end."""
        return self.darkroom(*arguments, env=self._old)

    def end(self) -> None:
        super().end()
        self.old_runner.end()
        self.old_registry.end()


@pytest.fixture
def house(tmp_path: Path, photos: Path, yesterday: Path) -> Iterator[Upgraded]:
    house = Upgraded(tmp_path / "house", photos, yesterday)
    try:
        yield house
    finally:
        house.end()


def test_a_build_of_yesterdays_parts_outlasts_the_registrys_upgrade(house: Upgraded) -> None:
    house.old_registry.start()
    house.old_runner.start()
    until(lambda: "test/slow" in house.old_darkroom("handlers").out, "yesterday's handlers", 60.0, 0.2)
    house.old_darkroom("define", "street", "--handler", "test/slow", "--raw", "photos=street").ok()
    with house.darkroom_running("request", "street", "--set", "delay_s=0.2", "--json", env=house._old) as request:
        until(lambda: len(list(house.store_folder.glob("*/*/*.entry"))) >= SHARDS_BEFORE, "the first shards", 60.0)
        assert house.old_registry.stop() == 0
        house.registry.start()
        assert request.wait(COMMAND_TIMEOUT_S) == 0, request.log
    assert not house.old_runner.events("work_failed")
    [built] = house.client.list_datasets("street")
    assert (built.state, built.attempt) == ("READY", 1)
    assert house.client.download(built.key).digest == built.digest
    # Upgraded alone, the registry goes on to serve yesterday's runner and client.
    again = house.old_darkroom("request", "street", "--set", "seed=3", "--set", "delay_s=0", "--json").ok().json
    assert (again["state"], again["cached"]) == ("READY", False)


def git(*arguments: str) -> bytes:
    """Return what git says of this repository; nothing where there is none."""
    return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, timeout=60, check=False).stdout
