"""Several things at a time."""

from __future__ import annotations

import asyncio

import pytest

from handler_runner.together import together


async def test_results_come_in_order():
    async def value(number):
        await asyncio.sleep(0.01 / number)
        return number

    assert await together(value(1), value(2), value(3)) == [1, 2, 3]
    assert await together() == []


async def test_the_first_failure_rises_itself_once_the_others_have_ended():
    ended = []

    async def fail():
        await asyncio.sleep(0.01)
        raise ValueError("first")

    async def long():
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0.01)
            ended.append(True)

    with pytest.raises(ValueError, match="first"):
        await together(long(), fail())
    assert ended == [True]


async def test_cancelling_cancels_all():
    ended = []

    async def long():
        try:
            await asyncio.sleep(100)
        finally:
            ended.append(True)

    task = asyncio.create_task(together(long(), long()))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True, True]
