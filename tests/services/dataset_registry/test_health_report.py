"""What the registry sees of itself, with real faults: no git, a store that is gone, a full disk."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from darkroom.dataset.v1 import dataset_pb2 as pb
from dataset_registry.health_report import Check, HealthReport, Level, room
from dataset_registry.repositories_git import GitRepositories
from service_kit.git import Git, GitRepository
from service_kit.token_file import TokenFile


def report(house: Any, git: dict[str, GitRepository] | None = None, tokens: TokenFile | None = None) -> HealthReport:
    return HealthReport(house.catalog, house.store, GitRepositories(git or {}, Git(), 10.0), {}, tokens)


def levels(checks: Any) -> dict[str, str]:
    return {each.subject: each.level for each in checks}


async def test_all_is_well_over_the_wire(stub: Any) -> None:
    answer = await stub.GetHealthReport(pb.GetHealthReportRequest())
    assert levels(answer.checks) == {"database": pb.HEALTH_LEVEL_OK, "store": pb.HEALTH_LEVEL_OK}
    assert answer.version
    assert answer.now_time.ToSeconds() > 1_700_000_000


async def test_a_look_leaves_nothing_in_the_store(house: Any) -> None:
    before = list(house.store.list(""))
    await report(house).look("")
    assert list(house.store.list("")) == before


async def test_a_repository_that_cannot_be_reached_is_named_with_what_git_says(house: Any, tmp_path: Path) -> None:
    there = tmp_path / "there"
    subprocess.run(["git", "init", "--quiet", there], check=True)
    git = {name: GitRepository(name, str(tmp_path / name)) for name in ("there", "gone")}
    health = await report(house, git).look("")
    assert levels(health.checks)["repository there"] == Level.OK
    [gone] = [each for each in health.checks if each.subject == "repository gone"]
    assert gone.level == Level.FAIL
    assert "gone" in gone.text
    assert "credentials" in gone.remedy


async def test_a_store_that_cannot_be_written_fails(house: Any, tmp_path: Path) -> None:
    root = house.store._root
    shutil.rmtree(root)
    root.write_text("a file where the folder was")
    health = await report(house).look("")
    assert levels(health.checks) == {"database": Level.OK, "store": Level.FAIL}


async def test_the_token_is_told_of_and_a_revoked_one_is_not(house: Any, tmp_path: Path) -> None:
    tokens = TokenFile(tmp_path / "tokens.json")
    text = tokens.create("gpu3", ["request"], life_s=1000)
    seen = (await report(house, tokens=tokens).look(text)).token
    assert seen is not None
    assert (seen.name, seen.scopes) == ("gpu3", ("request",))
    tokens.revoke("gpu3")
    await asyncio.sleep(0.6)
    assert (await report(house, tokens=tokens).look(text)).token is None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MiB, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "darkroom", folder], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"needs a disk of its own, which cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_without_room_fails_and_says_what_would_do(small_disk: Path) -> None:
    assert room("room for the store", small_disk) == Check(
        "room for the store",
        Level.FAIL,
        f"0.1 GB free at {small_disk}",
        "delete datasets (`darkroom delete`), or give the disk more room",
    )
    assert room("room", small_disk / "nowhere").level == Level.FAIL
