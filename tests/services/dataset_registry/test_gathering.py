"""A walk tells its runner which build most likely follows, so that the build's processes start meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from dataset_registry.records import RawDataset, Work
from dataset_registry.states import RequestState

from .conftest import RUNNER, House


async def walk(house: House, config: str, digest: str = "d" * 64) -> Work:
    """Ask for a dataset once the last walk is too old, and return the work of the walk, done."""

    def age(tx: Any) -> None:
        if raw := tx.get(RawDataset, "street"):
            tx.put(replace(raw, scan_time=0.0))

    house.catalog.write(age)
    asked = (await house.registry.request_dataset("street", "latest", config)).request
    work = await house.claim(RUNNER, "SNAPSHOT")
    found = {"digest": digest, "file_count": 10, "size_bytes": 1000}
    await house.dispatch.finish(f"work/{work.id}", work.fence, found)
    async with asyncio.timeout(120):
        async for view in house.registry.watch_request(f"requests/{asked.id}"):
            if view.value.request.state != RequestState.RESOLVING:
                break
    return work


async def test_a_walk_names_the_build_that_follows_unless_it_would_be_a_hit(house: House) -> None:
    await house.described()
    first = await walk(house, "{}")
    assert first.task["expected"] == {"repository": "stock", "commit": "c1", "version": "latest"}
    assert first.task["expected_raw"] == ["street"]
    building = await walk(house, "{}")
    assert building.task == {"raw_dataset": "street"}, "the build is under way"
    await house.publish(await house.claim(RUNNER, "BUILD"))
    hit = await walk(house, '{"gain": 1}')
    assert hit.task == {"raw_dataset": "street"}
    miss = await walk(house, '{"gain": 2}')
    assert miss.task["expected_raw"] == ["street"]


async def test_a_walk_for_whoever_only_asks_names_no_build(house: House) -> None:
    await house.described()
    inquiry = house.inquiries.resolve("street", "latest", "{}")
    await anext(inquiry)
    assert (await house.claim(RUNNER, "SNAPSHOT")).task == {"raw_dataset": "street"}
    await inquiry.aclose()
