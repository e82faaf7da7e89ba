"""Requests of a git repository's handlers at versions, against a real repository, catalogue and store."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from dataset_registry.inquiries import Resolution
from dataset_registry.records import Dataset, Environment, Request, Work
from dataset_registry.relocking import Relocked
from dataset_registry.repositories import RepositoryAway, environment_id
from dataset_registry.states import RequestState
from service_kit.errors import FailedPrecondition, InvalidArgument, NotFound

from .conftest import REF_MAX_AGE_S, House
from .lab import LAB_RUNNER, LOCK, REFUSING, Lab, define, describe, described

NEWER = LOCK.replace("1.26.4", "1.26.5")


@pytest.fixture
def lab(house: House) -> Lab:
    """The repository that the registry knows as `lab`."""
    return Lab(house.lab)


async def ask(house: House, version: str, config: str = "{}") -> Request:
    return (await house.registry.request_dataset("edges", version, config)).request


async def gone(lab: Lab) -> None:
    """Take the repository away, and let what is known of it grow too old to answer."""
    lab.away()
    await asyncio.sleep(REF_MAX_AGE_S)


async def until(house: House, request: Request, *states: RequestState) -> Request:
    async with asyncio.timeout(60):
        async for view in house.registry.watch_request(f"requests/{request.id}"):
            if view.value.request.state in states:
                return view.value.request
    raise AssertionError("it ended otherwise")


async def walked(house: House) -> None:
    work = await house.claim(LAB_RUNNER, "SNAPSHOT")
    found = {"digest": "d" * 64, "file_count": 10, "size_bytes": 1000}
    await house.dispatch.finish(f"work/{work.id}", work.fence, found)


async def built(house: House) -> Work:
    work = await house.claim(LAB_RUNNER, "BUILD")
    await house.publish(work)
    return work


async def made(house: House, version: str) -> Request:
    """Ask for a version, and do all the work that it causes, as a runner would."""
    request = await ask(house, version)
    while RequestState(request.state) is not RequestState.READY:
        work = await house.dispatch.claim(LAB_RUNNER, (), 0.1)
        if work is None:
            pass
        elif work.kind == "ENVIRONMENT":
            await house.dispatch.finish(f"work/{work.id}", work.fence, {"description": described()})
        elif work.kind == "SNAPSHOT":
            found = {"digest": "d" * 64, "file_count": 10, "size_bytes": 1000}
            await house.dispatch.finish(f"work/{work.id}", work.fence, found)
        else:
            await house.publish(work)
        request = (await house.registry.get_request(f"requests/{request.id}")).request
        assert RequestState(request.state) in (RequestState.RESOLVING, RequestState.BUILDING, RequestState.READY)
    return request


async def test_a_never_seen_commit_is_described_once_and_built_once_for_200(house: House, lab: Lab) -> None:
    lab.commit("v1")
    await define(house)
    requests = await asyncio.gather(*(ask(house, "v1") for _ in range(200)))
    await describe(house)
    await walked(house)
    await built(house)
    ended = await asyncio.gather(*(until(house, each, RequestState.READY) for each in requests))
    assert len({each.key for each in ended}) == 1
    works = house.catalog.read(lambda tx: tx.find(Work))
    assert Counter(each.kind for each in works if each.repository == "lab") == {"ENVIRONMENT": 1, "BUILD": 1}


async def test_a_tag_and_a_branch_at_one_commit_are_one_dataset(house: House, lab: Lab) -> None:
    commit = lab.commit("v1")
    await define(house)
    first = await made(house, "v1")
    for version in ("main", "latest", commit, commit[:9]):
        again = await ask(house, version)
        assert (again.state, again.key, again.cached) == (RequestState.READY, first.key, True)


async def test_a_moved_tag_is_a_new_key_within_the_bound(house: House, lab: Lab) -> None:
    lab.commit("v1")
    await define(house)
    first = await made(house, "v1")
    lab.commit("v1")
    async with asyncio.timeout(60):
        while (request := await ask(house, "v1")).state == RequestState.READY:
            assert request.key == first.key
            await asyncio.sleep(0.05)
    assert (await made(house, "v1")).key != first.key


async def test_a_request_waits_for_a_repository_that_is_away_and_goes_on_by_itself(house: House, lab: Lab) -> None:
    lab.commit("v1")
    await define(house)
    await gone(lab)
    request = await ask(house, "v1")
    assert request.state == RequestState.RESOLVING
    assert "the repository lab, which cannot be reached: " in request.waiting_for
    with pytest.raises(RepositoryAway, match="the repository lab cannot be reached"):
        _ = [each async for each in house.inquiries.resolve("edges", "v1", "{}")]
    lab.back()
    await describe(house)
    await walked(house)
    await built(house)
    ended = await until(house, request, RequestState.READY)
    assert ended.waiting_for == ""


async def test_what_waited_for_a_version_that_is_not_there_fails_and_says_what_is(house: House, lab: Lab) -> None:
    lab.commit("v1")
    await define(house)
    await gone(lab)
    request = await ask(house, "v7")
    lab.back()
    ended = await until(house, request, RequestState.FAILED)
    assert ended.failure["failure_class"] == "BAD_CONFIG"
    assert ended.failure["violations"][0]["field"] == "handler_version"
    assert "the tags v1" in ended.failure["message"]


async def test_a_waiting_request_can_be_cancelled(house: House, lab: Lab) -> None:
    lab.commit("v1")
    await define(house)
    await gone(lab)
    request = await ask(house, "v1")
    view = await house.registry.cancel_request(f"requests/{request.id}")
    assert view.request.state == RequestState.CANCELLED
    lab.back()


async def test_a_whole_commit_that_is_described_needs_no_git_and_no_runner(house: House, lab: Lab) -> None:
    commit = lab.commit("v1")
    await define(house)
    first = await made(house, "v1")
    await gone(lab)
    again = await ask(house, commit)
    assert (again.state, again.key) == (RequestState.READY, first.key)
    with pytest.raises(InvalidArgument, match="gain"):
        await ask(house, commit, '{"gain": "loud"}')
    assert (await house.registry.get_dataset(first.key)).dataset.id == first.key


async def test_an_unknown_version_is_refused_at_once(house: House, lab: Lab) -> None:
    lab.commit("v1")
    await define(house)
    with pytest.raises(NotFound, match="it has the tags v1 and the branches main"):
        await ask(house, "v2")


async def test_every_work_gets_the_lock_that_its_key_names(house: House, lab: Lab) -> None:
    lab.commit("v1")
    await define(house)
    await ask(house, "v1")
    first = await describe(house)
    assert "lock" not in first.task
    await walked(house)
    build = await house.claim(LAB_RUNNER, "BUILD")
    assert build.task["environment"]["lock"] == LOCK
    assert "lock_digest" not in build.task["environment"]
    stored = house.catalog.read(lambda tx: tx.get(Work, build.id))
    assert LOCK not in str(stored)
    preview = asyncio.create_task(anext(house.inquiries.preview("edges", "v1", "{}", 4)))
    work = await house.claim(LAB_RUNNER, "PREVIEW")
    assert work.task["build"]["environment"]["lock"] == LOCK
    await preview


async def relocked(house: House, lock: str) -> Relocked:
    stages = house.relocking.relock("lab", "v1")

    async def last() -> Relocked:
        async for stage in stages:
            found = stage
        assert isinstance(found, Relocked)
        return found

    ending = asyncio.create_task(last())
    work = await describe(house, lock)
    assert "lock" not in work.task
    return await ending


async def test_relocking_is_a_new_key_and_the_old_dataset_stays(house: House, lab: Lab) -> None:
    commit = lab.commit("v1")
    await define(house)
    first = await made(house, "v1")
    found = await relocked(house, NEWER)
    assert (found.commit, found.text) == (commit, NEWER)
    assert found.previous_digest != found.digest
    request = await ask(house, "v1")
    await walked_if_asked(house, request)
    build = await house.claim(LAB_RUNNER, "BUILD")
    assert build.subject != first.key
    assert build.task["environment"]["lock"] == NEWER
    assert (await house.registry.get_dataset(first.key)).dataset.state == "READY"


async def walked_if_asked(house: House, request: Request) -> None:
    if (await house.registry.get_request(f"requests/{request.id}")).request.state == RequestState.RESOLVING:
        await walked(house)


async def test_a_relock_that_fails_leaves_the_lock_as_it_was(house: House, lab: Lab) -> None:
    commit = lab.commit("v1")
    await define(house)
    await ask(house, "v1")
    await describe(house)
    before = house.catalog.read(lambda tx: tx.get(Environment, environment_id("lab", commit)))
    stages = house.relocking.relock("lab", "v1")
    failing = asyncio.create_task(drained(stages))
    work = await house.claim(LAB_RUNNER, "ENVIRONMENT")
    no_way = {"failure_class": "ENVIRONMENT", "message": "nothing fits numpy<1,>2", "deterministic": False}
    await house.dispatch.fail(f"work/{work.id}", work.fence, no_way)
    with pytest.raises(FailedPrecondition, match="nothing fits"):
        await failing
    assert house.catalog.read(lambda tx: tx.get(Environment, environment_id("lab", commit))) == before


async def drained(stages: AsyncIterator[Any]) -> list[Any]:
    return [each async for each in stages]


async def test_stock_has_no_lock_to_renew(house: House) -> None:
    await house.described()
    with pytest.raises(FailedPrecondition, match="installed on their runner"):
        await drained(house.relocking.relock("stock", "latest"))


async def test_a_lock_that_is_not_its_digest_is_refused(house: House, lab: Lab) -> None:
    lab.commit("v1")
    await define(house)
    await ask(house, "v1")
    work = await house.claim(LAB_RUNNER, "ENVIRONMENT")
    while work.repository != "lab":
        work = await house.claim(LAB_RUNNER, "ENVIRONMENT")
    with pytest.raises(InvalidArgument, match="digest"):
        await house.dispatch.finish(
            f"work/{work.id}", work.fence, {"description": described(LOCK, lock_digest="0" * 64)}
        )


async def test_code_that_only_refusing_runners_have_is_refused_with_their_reason(house: House, lab: Lab) -> None:
    lab.commit("v1")
    await house.dispatch.claim(REFUSING, ["PREVIEW"], 0.0)
    await house.keeping.define("edges", "lab/inpainting", {"photos": "street"})
    with pytest.raises(FailedPrecondition, match="studio: its sandbox is none: no bwrap") as refused:
        await ask(house, "v1")
    assert refused.value.reason == "SANDBOX"
    assert house.catalog.read(lambda tx: tx.count(Request)) == 0
    with pytest.raises(FailedPrecondition, match="no runner will run"):
        await drained(house.inquiries.resolve("edges", "v1", "{}"))
    assert await house.dispatch.claim(REFUSING, ["ENVIRONMENT"], 0.0) is not None  # stock's
    assert await house.dispatch.claim(REFUSING, ["ENVIRONMENT"], 0.2) is None


async def test_a_hit_is_a_hit_whatever_runners_refuse_and_a_miss_is_refused(house: House, lab: Lab) -> None:
    lab.commit("v1")
    await define(house)
    first = await made(house, "v1")
    await house.dispatch.claim(REFUSING, ["PREVIEW"], 0.0)
    assert (await ask(house, "v1")).key == first.key
    with pytest.raises(FailedPrecondition, match="no bwrap") as refused:
        await ask(house, "v1", '{"gain": 3}')
    assert refused.value.reason == "SANDBOX"
    # Whoever is refused leaves no row.
    assert [each.state for each in house.catalog.read(lambda tx: tx.find(Request))] == [RequestState.READY] * 2
    assert house.catalog.read(lambda tx: tx.count(Dataset)) == 1


async def test_one_runner_that_would_run_it_is_enough(house: House, lab: Lab) -> None:
    lab.commit("v1")
    await house.dispatch.claim(replace(REFUSING, id="attic"), ["PREVIEW"], 0.0)
    await define(house)
    assert (await ask(house, "v1")).state == RequestState.RESOLVING
    for _ in range(2):  # stock's may come first
        work = await house.dispatch.claim(replace(REFUSING, id="attic"), ["ENVIRONMENT"], 0.0)
        assert work is None or work.repository == "stock"
    await describe(house)


async def test_a_handler_is_shown_at_any_version_once_it_is_described(house: House, lab: Lab) -> None:
    lab.commit("v1")
    commit = lab.commit()
    await define(house)
    shown = asyncio.create_task(house.browsing.handler("lab/inpainting", "main", wait_s=60))
    await describe(house)
    repository, version, at, handler = await shown
    assert (repository, version, at, handler.name) == ("lab", "main", commit, "inpainting")
    with pytest.raises(FailedPrecondition, match="still being made; ask again") as late:
        other = asyncio.create_task(house.browsing.handler("lab/inpainting", "v1", wait_s=1.0))
        assert (await house.claim(LAB_RUNNER, "ENVIRONMENT")).repository == "lab"
        await other
    assert late.value.reason == "NOT_DESCRIBED"


async def test_an_environment_that_cannot_be_made_says_why(house: House, lab: Lab) -> None:
    lab.commit("v1")
    await define(house)
    shown = asyncio.create_task(house.browsing.handler("lab/inpainting", "v1", wait_s=60))
    work = await house.claim(LAB_RUNNER, "ENVIRONMENT")
    while work.repository != "lab":
        work = await house.claim(LAB_RUNNER, "ENVIRONMENT")
    bad = {"failure_class": "ENVIRONMENT", "message": "there is no pyproject.toml", "deterministic": False}
    await house.dispatch.fail(f"work/{work.id}", work.fence, bad)
    with pytest.raises(FailedPrecondition, match=r"no pyproject\.toml"):
        await shown


async def test_without_a_runner_it_says_for_what_it_waits(house: House, lab: Lab) -> None:
    lab.commit("v1")
    with pytest.raises(FailedPrecondition, match="it waits for a runner that serves the repository lab"):
        await house.browsing.handler("lab/inpainting", "v1", wait_s=0.5)


async def test_the_newest_version_is_described_by_itself_and_listed(house: House, lab: Lab) -> None:
    lab.commit("v1")
    describing = asyncio.create_task(house.describing.run())
    try:
        await house.dispatch.claim(LAB_RUNNER, ["PREVIEW"], 0.0)
        work = await describe(house)
        assert work.task["version"] == "v1"
        listed = await house.browsing.handlers()
        assert listed["lab/inpainting"][1] == "v1"
        # A newer tag that nobody described yet does not take the handler from the list.
        lab.commit("v2")
        await asyncio.sleep(REF_MAX_AGE_S)
        assert (await house.browsing.handlers())["lab/inpainting"][1] == "v1"
    finally:
        describing.cancel()


async def test_resolving_says_hit_for_what_is_built(house: House, lab: Lab) -> None:
    lab.commit("v1")
    await define(house)
    first = await made(house, "v1")
    found = (await drained(house.inquiries.resolve("edges", "main", "{}")))[-1]
    assert isinstance(found, Resolution)
    assert (found.key, found.hit) == (first.key, True)
