"""Leases, fences, shards and retries, as a runner meets them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from dataset_registry.records import Dataset, Shard, Work
from dataset_registry.states import DatasetState, WorkState
from service_kit.errors import Aborted

from .conftest import LEASE_S, RUNNER, House

OTHER = replace(RUNNER, id="other")
SHARD = Shard(id="", split="train", index=0, object="o", size_bytes=5, sha256="s", crc32=1, record_count=2)


async def building(house: House) -> Work:
    await house.described()
    await house.registry.request_dataset("street", "latest", "{}")
    await house.walked()
    return await house.claim()


async def test_a_paused_runner_is_fenced_out_and_what_it_committed_stays(house: House) -> None:
    first = await building(house)
    await house.dispatch.commit_shard(f"work/{first.id}", first.fence, SHARD)
    await asyncio.sleep(LEASE_S * 1.5)
    second = await house.claim(OTHER)
    assert (second.id, second.fence) == (first.id, first.fence + 1)
    for call in (
        house.dispatch.heartbeat(f"work/{first.id}", first.fence, None, "", 0),
        house.dispatch.commit_shard(f"work/{first.id}", first.fence, replace(SHARD, index=1)),
        house.dispatch.finish(f"work/{first.id}", first.fence, {}),
    ):
        with pytest.raises(Aborted):
            await call
    shards = await house.dispatch.list_shards(f"work/{second.id}", second.fence, None, 10)
    assert [(shard.split, shard.index, shard.object) for shard in shards] == [("train", 0, "o")]
    await house.publish(second)
    with pytest.raises(Aborted):
        await house.dispatch.finish(f"work/{first.id}", first.fence, {})


async def test_a_runner_that_was_late_goes_on_if_nobody_took_over(house: House) -> None:
    work = await building(house)
    await asyncio.sleep(LEASE_S * 1.5)
    assert (await house.dispatch.heartbeat(f"work/{work.id}", work.fence, None, "", 0)).go_on
    await house.publish(work)


async def test_a_restarted_runner_need_not_wait_for_its_own_lease(house: House) -> None:
    work = await building(house)
    again = await house.claim(replace(RUNNER, instance="second"), wait_s=0.2)
    assert (again.id, again.fence) == (work.id, work.fence + 1)


async def test_committing_twice_keeps_the_first_row(house: House) -> None:
    work = await building(house)
    await house.dispatch.commit_shard(f"work/{work.id}", work.fence, SHARD)
    kept = await house.dispatch.commit_shard(f"work/{work.id}", work.fence, replace(SHARD, object="later"))
    assert kept.object == "o"


async def test_finishing_twice_is_harmless(house: House) -> None:
    work = await building(house)
    result = await house.publish(work)
    await house.dispatch.finish(f"work/{work.id}", work.fence, result)


async def test_a_lost_runner_is_replaced_five_times_and_then_the_build_fails(house: House) -> None:
    work = await building(house)
    for _ in range(4):
        await asyncio.sleep(LEASE_S * 1.3)
        work = await house.claim(OTHER, wait_s=30)
    await asyncio.sleep(LEASE_S * 1.3)
    for _ in range(600):
        dataset = house.catalog.read(lambda tx: tx.get(Dataset, work.subject))
        if dataset is not None and dataset.state == DatasetState.FAILED:
            break
        await asyncio.sleep(0.1)
    assert dataset is not None
    assert dataset.failure["failure_class"] == "WORKER_LOST"


async def test_released_work_is_free_at_once_and_costs_no_try(house: House) -> None:
    work = await building(house)
    await house.dispatch.release(f"work/{work.id}", work.fence, "shutting down")
    again = await house.claim(OTHER, wait_s=0.2)
    assert again.failure_counts == {}


async def test_a_runner_gets_only_what_it_serves(house: House) -> None:
    await house.described()
    await house.registry.request_dataset("street", "latest", "{}")
    elsewhere = replace(RUNNER, id="elsewhere", raw_datasets={"forest": 3})
    assert await house.dispatch.claim(elsewhere, (), 0.3) is None
    old_code = replace(RUNNER, id="old", repositories=[{"name": "stock", "commit": "c0", "version": "0.0.9"}])
    await house.walked()
    assert await house.dispatch.claim(old_code, ("BUILD",), 0.3) is None


async def test_the_log_is_whole_however_often_a_piece_is_sent_again(house: House) -> None:
    work = await building(house)
    pieces = ["one\n", "two – ü\n", "three\n"]
    offset = 0
    for piece in pieces:
        for _ in range(2):
            await house.dispatch.heartbeat(f"work/{work.id}", work.fence, None, piece, offset)
        offset += len(piece.encode())
    await house.dispatch.heartbeat(f"work/{work.id}", work.fence, None, "".join(pieces), 0)
    await house.publish(work)
    text = "".join([text async for text, _ in house.browsing.log(work.subject, 0, True)])
    assert text == "".join(pieces)
    tail = "".join([text async for text, _ in house.browsing.log(work.subject, 4, False)])
    assert tail == "".join(pieces[1:])


async def test_work_that_ran_out_of_memory_is_tried_twice(house: House) -> None:
    work = await building(house)
    failure = {"failure_class": "OUT_OF_MEMORY", "message": "killed", "deterministic": False}
    await house.dispatch.fail(f"work/{work.id}", work.fence, failure)
    work = await house.claim(wait_s=5)
    await house.dispatch.fail(f"work/{work.id}", work.fence, failure)
    ended = house.catalog.read(lambda tx: tx.get(Work, work.id))
    assert ended is not None
    assert ended.state == WorkState.FAILED
