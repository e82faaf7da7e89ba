"""A miss names the datasets that come nearest and what a build would cost, and waits for nobody to say so."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from dataset_registry.inquiries import Resolution
from dataset_registry.nearest import Nearest
from dataset_registry.records import Dataset, Work
from dataset_registry.states import DatasetState, WorkState

from .conftest import RUNNER, House

KINDS = ("SNAPSHOT", "BUILD")
DIFFERENCE = {"added_count": "2", "removed_count": "1", "added": ["a.jpg", "b.jpg"], "removed": ["c.jpg"]}


async def build(house: House, config: dict[str, Any]) -> str:
    """Have a dataset built and return its key."""
    await house.registry.request_dataset("street", "latest", json.dumps(config))
    work = await house.claim(RUNNER, *KINDS)
    if work.kind == "SNAPSHOT":
        await finish(house, work, {"digest": "d" * 64, "file_count": 10, "size_bytes": 1000})
        work = await house.claim(RUNNER, "BUILD")
    await house.publish(work)
    return work.subject


async def finish(house: House, work: Work, result: dict[str, Any]) -> None:
    await house.dispatch.finish(f"work/{work.id}", work.fence, result)


async def rewalked(house: House, digest: str, files: int) -> None:
    """Walk the raw photos again and find others."""

    async def scan() -> None:
        async for _ in house.inquiries.scan("street"):
            pass

    scanning = asyncio.create_task(scan())
    work = await house.claim(RUNNER, "SNAPSHOT")
    await finish(house, work, {"digest": digest, "file_count": files, "size_bytes": 1000})
    await scanning


async def resolve(house: House, config: dict[str, Any]) -> Resolution:
    found = [stage async for stage in house.inquiries.resolve("street", "latest", json.dumps(config))][-1]
    assert isinstance(found, Resolution)
    return found


async def test_a_miss_names_the_nearest_datasets_and_a_hit_explains_nothing(house: House) -> None:
    await house.described()
    near = await build(house, {"image_size": [64, 64]})
    far = await build(house, {"image_size": [64, 64], "gain": 3})
    found = await resolve(house, {"image_size": [128, 64]})
    assert not found.hit
    assert [each.view.dataset.id for each in found.explanation.nearest] == [near, far]
    [difference] = found.explanation.nearest[0].differences
    assert (difference.field, difference.asked, difference.other) == ("config.image_size", [128, 64], [64, 64])
    assert [each.field for each in found.explanation.nearest[1].differences] == ["config.gain", "config.image_size"]
    cost = found.explanation.cost
    assert cost is not None
    assert cost.example_count == 10
    assert near[:12] in cost.basis
    hit = await resolve(house, {"image_size": [64, 64]})
    assert hit.hit
    assert hit.explanation.nearest == ()


async def test_raw_files_are_named_by_a_runner_that_remembers(house: House) -> None:
    await house.described()
    await build(house, {})
    await rewalked(house, "e" * 64, 15)
    house.inquiries._nearest = Nearest(house.catalog, house.board, compare_s=20.0)
    asking = asyncio.create_task(resolve(house, {}))
    work = await house.claim(RUNNER, "COMPARE")
    assert work.task == {"raw_dataset": "street", "digest": "e" * 64, "other_digest": "d" * 64}
    await finish(house, work, DIFFERENCE)
    found = await asking
    [near] = found.explanation.nearest
    assert [each.field for each in near.differences] == ["raw.photos"]
    assert near.raw["photos"]["added"] == ["a.jpg", "b.jpg"]
    cost = found.explanation.cost
    assert cost is not None
    assert cost.example_count == 15, "the files of both snapshots are known"


async def test_a_runner_that_does_not_answer_costs_the_names_and_not_the_answer(house: House) -> None:
    await house.described()
    await build(house, {})
    await rewalked(house, "e" * 64, 15)
    house.inquiries._nearest = Nearest(house.catalog, house.board, compare_s=0.2)
    found = await resolve(house, {})
    assert [each.field for each in found.explanation.nearest[0].differences] == ["raw.photos"]
    assert found.explanation.nearest[0].raw == {}
    left = house.catalog.read(lambda tx: tx.find(Work))
    assert [each.state for each in left if each.kind == "COMPARE"] == [WorkState.CANCELLED]


async def test_a_dataset_whose_archive_is_gone_is_estimated_by_its_own_build(house: House) -> None:
    await house.described()
    key = await build(house, {})
    await house.keeping.delete(key)
    found = await resolve(house, {})
    assert found.reason == "its archive is gone"
    assert found.explanation.nearest == ()
    assert found.explanation.cost is not None
    assert found.explanation.cost.basis == f"the last build of the same dataset, {key[:12]}"


async def test_imported_datasets_are_compared_with_nothing(house: House) -> None:
    await house.described()
    old = Dataset(
        id="a" * 32,
        dataset_name="street",
        state=DatasetState.READY,
        preimage='{"imported":"street_1_x.zip"}',
        build_task={"file_name": "street_1_x.zip"},
        example_count=5,
    )
    house.catalog.write(lambda tx: tx.put(old))
    asking = asyncio.create_task(resolve(house, {}))
    await house.walked()
    found = await asking
    assert found.explanation.nearest == ()
    assert found.explanation.cost is None
