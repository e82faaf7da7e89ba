"""How many run at a time."""

from __future__ import annotations

import asyncio

from handler_runner.slots import Slots


async def most_at_a_time(slots, count, shrink_at=None):
    running, most, done = 0, 0, 0

    async def work():
        nonlocal running, most, done
        async with slots:
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1
            done += 1
            if done == shrink_at:
                slots.shrink()
                most = 0

    await asyncio.gather(*(work() for _ in range(count)))
    return most


async def test_no_more_than_the_bound_run_at_a_time():
    assert await most_at_a_time(Slots(3), 20) == 3


async def test_fewer_run_after_shrinking_and_all_get_their_turn():
    assert await most_at_a_time(Slots(8), 60, shrink_at=8) <= 8
    slots = Slots(8)
    for _ in range(5):
        slots.shrink()
    assert await most_at_a_time(slots, 10) == 1


async def test_one_that_is_cancelled_while_it_waits_takes_no_turn_away():
    slots = Slots(1)
    async with slots:
        waiting = asyncio.create_task(most_at_a_time(slots, 1))
        other = asyncio.create_task(most_at_a_time(slots, 1))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert await asyncio.wait_for(other, 60) == 1
