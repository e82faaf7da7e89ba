"""Requests, joined builds, watching and cancelling, against a real catalogue and store."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from dataclasses import replace

import pytest

from dataset_registry.catalog import Transaction
from dataset_registry.inquiries import Resolution
from dataset_registry.records import Dataset, Request, Runner, Work
from dataset_registry.states import DatasetState, RequestState, WorkState
from service_kit.errors import FailedPrecondition, InvalidArgument, NotFound

from .conftest import House


async def watch_to_the_end(house: House, name: str) -> Request:
    async for view in house.registry.watch_request(name):
        last = view.value.request
    return last


async def test_many_callers_cause_one_build_and_all_see_it_ready(house: House) -> None:
    await house.described()

    async def ask(number: int) -> Request:
        config = f'{{"gain": {number % 4}}}' if number < 40 else '{"image_size": 128, "batch_size": 7}'
        view = await house.registry.request_dataset("street", "latest", config, requester=f"caller-{number}")
        return await watch_to_the_end(house, f"requests/{view.request.id}")

    callers = [asyncio.create_task(ask(number)) for number in range(240)]
    await house.walked()
    for _ in range(5):
        await house.publish(await house.claim())
    requests = await asyncio.gather(*callers)
    assert {request.state for request in requests} == {RequestState.READY}
    assert len({request.key for request in requests}) == 5
    works = Counter(work.kind for work in house.catalog.read(lambda tx: tx.find(Work)))
    assert works == {"ENVIRONMENT": 1, "SNAPSHOT": 1, "BUILD": 5}
    # Who came after a build had ended got it from the cache.
    assert sum(request.joined or request.cached for request in requests) == 235


async def test_the_same_request_id_is_the_same_request(house: House) -> None:
    await house.described()
    identity = str(uuid.uuid4())
    for _ in range(3):
        await house.registry.request_dataset("street", "latest", "{}", request_id=identity)
    assert house.catalog.read(lambda tx: tx.count(Request)) == 1


async def test_a_ready_dataset_answers_at_once_whatever_the_order_of_keys(house: House) -> None:
    await house.described()
    await house.registry.request_dataset("street", "latest", '{"gain": 2, "image_size": [64, 64]}')
    await house.walked()
    await house.publish(await house.claim())
    again = await house.registry.request_dataset(
        "street", "latest", '{"image_size": "64x64", "gain": 2.0, "batch_size": 9}'
    )
    assert (again.request.state, again.request.cached) == (RequestState.READY, True)
    assert again.request.read_options == {"batch_size": 9}
    stages = [each async for each in house.inquiries.resolve("street", "latest", '{"gain": 2, "image_size": 64}')]
    assert isinstance(stages[-1], Resolution)
    assert stages[-1].hit


async def test_a_hit_whose_archive_is_gone_is_built_again(house: House) -> None:
    await house.described()
    await house.registry.request_dataset("street", "latest", "{}")
    await house.walked()
    built = await house.publish(await house.claim())
    house.store.delete(built["archive_object"])
    house.archives._seen.clear()  # a minute has passed
    again = await house.registry.request_dataset("street", "latest", "{}")
    assert again.request.state == RequestState.BUILDING
    work = await house.claim()
    assert work.kind == "BUILD"
    # It once began under fence 1 again, and overwrote what lay there.
    assert not built["archive_object"].startswith(f"{work.subject}/{work.fence}/")


async def test_wrong_input_is_refused_by_field_before_any_row(house: House) -> None:
    await house.described()
    wrong = {
        ("Street!", "latest", "{}"): "dataset_name",
        ("street", "../x", "{}"): "handler_version",
        ("street", "latest", "{"): "config_json",
        ("street", "latest", "[1]"): "config_json",
        ("street", "latest", '{"gain": NaN}'): "config_json",
        ("street", "latest", '{"gain": -1}'): "config.gain",
        ("street", "latest", '{"gian": 1}'): "config.gian",
        ("street", "latest", '{"image_size": [1, 2, 3]}'): "config.image_size",
    }
    for call, field in wrong.items():
        with pytest.raises(InvalidArgument) as refused:
            await house.registry.request_dataset(*call)
        assert [name for name, _ in refused.value.violations] == [field]
    for name, version in (("streets", "latest"), ("street", "v9")):
        with pytest.raises(NotFound):
            await house.registry.request_dataset(name, version, "{}")
    assert house.catalog.read(lambda tx: tx.count(Request)) == 0


async def test_a_raw_dataset_that_cannot_be_walked_fails_the_request_with_the_reason(house: House) -> None:
    await house.described()
    view = await house.registry.request_dataset("street", "latest", "{}")
    work = await house.claim()
    failure = {"failure_class": "RAW_MISSING", "message": "the folder street is empty", "deterministic": False}
    await house.dispatch.fail(f"work/{work.id}", work.fence, failure)
    request = await watch_to_the_end(house, f"requests/{view.request.id}")
    assert (request.state, request.failure["message"]) == (RequestState.FAILED, "the folder street is empty")


async def test_a_deterministic_failure_answers_later_requests_until_they_insist(house: House) -> None:
    await house.described()
    await house.registry.request_dataset("street", "latest", "{}")
    await house.walked()
    work = await house.claim()
    failure = {"failure_class": "HANDLER_ERROR", "message": "boom", "deterministic": True}
    await house.dispatch.fail(f"work/{work.id}", work.fence, failure)
    second = await house.registry.request_dataset("street", "latest", "{}")
    assert (second.request.state, second.request.failure["message"]) == (RequestState.FAILED, "boom")
    third = await house.registry.request_dataset("street", "latest", "{}", retry=True)
    assert third.request.state == RequestState.BUILDING


async def test_after_raw_files_changed_asking_again_walks_again_however_fresh_the_last_walk(house: House) -> None:
    await house.described()
    first = await house.registry.request_dataset("street", "latest", "{}")
    await house.walked()
    work = await house.claim()
    changed = {"failure_class": "RAW_CHANGED", "message": "changed a.jpg", "deterministic": False}
    await house.dispatch.fail(f"work/{work.id}", work.fence, changed)
    await watch_to_the_end(house, f"requests/{first.request.id}")
    # It once got the old key, and failed again, until the walk was older than 10 s.
    again = await house.registry.request_dataset("street", "latest", "{}")
    assert again.request.state == RequestState.RESOLVING
    await house.walked("e" * 64)
    assert (await house.claim()).subject != work.subject


async def test_the_build_stops_only_when_the_last_interest_is_gone_and_the_grace_has_passed(house: House) -> None:
    await house.described()
    first = await house.registry.request_dataset("street", "latest", "{}")
    await house.walked()
    second = await house.registry.request_dataset("street", "latest", "{}")
    work = await house.claim()
    await house.registry.cancel_request(f"requests/{first.request.id}")
    await asyncio.sleep(0.5)
    assert (await house.dispatch.heartbeat(f"work/{work.id}", work.fence, None, "", 0)).go_on
    await house.registry.cancel_request(f"requests/{second.request.id}")
    for _ in range(600):
        await asyncio.sleep(0.1)
        if not (await house.dispatch.heartbeat(f"work/{work.id}", work.fence, None, "", 0)).go_on:
            break
    dataset = house.catalog.read(lambda tx: tx.get(Dataset, work.subject))
    assert dataset is not None
    assert dataset.state == DatasetState.CANCELLED
    again = await house.registry.request_dataset("street", "latest", "{}")
    assert again.request.state == RequestState.BUILDING


async def test_an_interest_ends_with_its_time_to_live(house: House) -> None:
    await house.described()
    view = await house.registry.request_dataset("street", "latest", "{}", time_to_live_s=0.3)
    request = await asyncio.wait_for(watch_to_the_end(house, f"requests/{view.request.id}"), 60)
    assert request.state == RequestState.EXPIRED


async def test_a_queued_build_says_that_no_runner_serves_it(house: House) -> None:
    await house.described()
    view = await house.registry.request_dataset("street", "latest", "{}")
    await house.walked()

    def forget(tx: Transaction) -> None:
        tx.put(replace(tx.get(Runner, "studio"), seen_time=1.0))

    house.catalog.write(forget)
    async for seen in house.registry.watch_request(f"requests/{view.request.id}"):
        work = seen.value.work
        if work is not None and work.work.kind == "BUILD" and work.waiting_for:
            break
    assert "raw dataset street" in work.waiting_for
    assert work.work.state == WorkState.QUEUED


async def test_a_build_of_code_that_was_upgraded_says_what_runners_serve_now(house: House) -> None:
    await house.described()
    view = await house.registry.request_dataset("street", "latest", "{}")
    await house.walked()

    def upgrade(tx: Transaction) -> None:
        upgraded = [{"name": "stock", "commit": "c2", "version": "0.2.0"}]
        tx.put(replace(tx.get(Runner, "studio"), repositories=upgraded, seen_time=tx.now()))

    house.catalog.write(upgrade)
    async for seen in house.registry.watch_request(f"requests/{view.request.id}"):
        work = seen.value.work
        if work is not None and work.work.kind == "BUILD" and work.waiting_for:
            break
    assert "the repository stock at c1" in work.waiting_for
    assert work.waiting_for.endswith("they serve it at c2: a new request takes that")


async def test_a_pinned_dataset_is_not_deleted(house: House) -> None:
    await house.described()
    await house.registry.request_dataset("street", "latest", "{}")
    await house.walked()
    work = await house.claim()
    await house.publish(work)
    name = f"datasets/{work.subject[:12]}"
    await house.keeping.pin(name, True)
    with pytest.raises(FailedPrecondition):
        await house.keeping.delete(name)
    await house.keeping.pin(name, False)
    await house.keeping.delete(name)
    assert (await house.registry.get_dataset(name)).dataset.state == DatasetState.EVICTED
