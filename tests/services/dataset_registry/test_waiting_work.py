"""The queue is read once for many runners, and no work in it stands in the way of other work."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from dataset_registry.records import Runner, Work

from .conftest import House

RUNNERS = 20
SEA = Runner(id="sea", raw_datasets={"sea": 1}, instance="first")


def queued(number: int, raw_name: str) -> Work:
    return Work(
        id=f"{raw_name}-{number}",
        kind="SNAPSHOT",
        subject=f"{raw_name}/{number}",
        raw_names=[raw_name],
        create_time=float(number),
    )


async def test_work_behind_a_thousand_that_only_others_can_do_is_claimed(house: House) -> None:
    house.catalog.write(lambda tx: [tx.put(queued(number, "elsewhere")) for number in range(1000)])
    house.catalog.write(lambda tx: [tx.put(queued(number, "sea")) for number in (2000, 1500)])
    claimed = [await house.dispatch.claim(SEA, (), 0.0) for _ in range(3)]
    assert [work and work.id for work in claimed] == ["sea-1500", "sea-2000", None]


async def test_runners_that_wait_together_share_the_looks_and_get_each_a_work_of_its_own(house: House) -> None:
    looks = 0

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal looks
        looks += "FROM work" in statement and "not_before" in statement and "LIMIT" in statement

    runners = [replace(SEA, id=f"sea-{number}") for number in range(RUNNERS)]
    waiting = [asyncio.create_task(house.dispatch.claim(each, (), 30.0)) for each in runners]
    sa.event.listen(house.catalog._database.engine, "before_cursor_execute", note)
    await asyncio.to_thread(
        house.catalog.write, lambda tx: [tx.put(queued(number, "sea")) for number in range(RUNNERS)]
    )
    claimed = await asyncio.gather(*waiting)
    assert sorted(work.id for work in claimed if work) == sorted(f"sea-{number}" for number in range(RUNNERS))
    # Each alone would look again after each commit.
    assert 0 < looks < RUNNERS * RUNNERS / 2


async def test_a_runner_that_hangs_up_takes_the_look_from_nobody(house: House) -> None:
    first = asyncio.create_task(house.dispatch.claim(SEA, (), 30.0))
    second = asyncio.create_task(house.dispatch.claim(replace(SEA, id="other"), (), 30.0))
    await asyncio.sleep(0.1)
    first.cancel()
    await asyncio.to_thread(house.catalog.write, lambda tx: tx.put(queued(1, "sea")))
    work = await second
    assert work is not None
    assert work.runner == "other"
