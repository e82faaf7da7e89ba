"""Versions looked up in a real repository: how fresh, how often, and what happens when it is away."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from dataset_registry.repositories import RepositoryAway
from dataset_registry.repositories_git import GitRepositories
from service_kit.errors import NotFound
from service_kit.git import Git, GitRepository

from .lab import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab")


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that grows by a line at each git process of ours."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\necho x >> {tmp_path / "calls"}\nexec {shutil.which("git")} "$@"\n')
    (folder / "git").chmod(0o755)
    (tmp_path / "calls").touch()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return tmp_path / "calls"


def opened(lab: Lab, ref_max_age_s: float = 60.0) -> GitRepositories:
    return GitRepositories({"lab": GitRepository("lab", str(lab.folder))}, Git(), ref_max_age_s)


async def test_many_who_ask_at_once_cause_one_call(lab: Lab, calls: Path) -> None:
    commit = lab.commit("v1")
    before = len(calls.read_text().splitlines())
    repositories = opened(lab)
    found = await asyncio.gather(*(repositories.resolve("lab", "v1") for _ in range(200)))
    assert set(found) == {commit}
    # ls-remote, and the upload-pack that it starts on a folder.
    assert len(calls.read_text().splitlines()) - before <= 2
    await repositories.resolve("lab", "main")
    assert len(calls.read_text().splitlines()) - before <= 2


async def test_a_moved_tag_is_seen_within_the_bound(lab: Lab) -> None:
    first = lab.commit("v1")
    repositories = opened(lab, ref_max_age_s=0.3)
    assert await repositories.resolve("lab", "v1") == first
    second = lab.commit("v1")
    async with asyncio.timeout(120):
        while await repositories.resolve("lab", "v1") != second:
            await asyncio.sleep(0.05)


async def test_an_answer_is_kept_for_as_long_as_it_may_be_old(lab: Lab) -> None:
    first = lab.commit("v1")
    repositories = opened(lab)
    assert await repositories.resolve("lab", "v1") == first
    lab.commit("v1")
    assert await repositories.resolve("lab", "v1") == first


async def test_a_whole_commit_needs_no_git(lab: Lab, calls: Path) -> None:
    commit = lab.commit()
    before = calls.read_text()
    assert await opened(lab).resolve("lab", commit) == commit
    assert calls.read_text() == before


async def test_away_is_unavailable_but_what_was_listed_stays_listed(lab: Lab) -> None:
    commit = lab.commit("v1")
    repositories = opened(lab, ref_max_age_s=0.0)
    await repositories.resolve("lab", "v1")
    lab.folder.rename(lab.folder.with_name("away"))
    with pytest.raises(RepositoryAway, match="lab cannot be reached"):
        await repositories.resolve("lab", "v1")
    assert dict(await repositories.newest()) == {"lab": [("v1", commit), ("main", commit)]}
    lab.folder.with_name("away").rename(lab.folder)
    async with asyncio.timeout(120):
        while True:
            try:
                assert await repositories.resolve("lab", "v1") == commit
                break
            except RepositoryAway:
                await asyncio.sleep(0.1)


async def test_a_caller_that_goes_leaves_the_answer_to_the_others(lab: Lab) -> None:
    commit = lab.commit("v1")
    repositories = opened(lab)
    impatient = asyncio.create_task(repositories.resolve("lab", "v1"))
    patient = asyncio.create_task(repositories.resolve("lab", "v1"))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == commit


async def test_an_unknown_version_is_not_found(lab: Lab) -> None:
    lab.commit("v1")
    with pytest.raises(NotFound, match="it has the tags v1 and the branches main"):
        await opened(lab).resolve("lab", "v2")
