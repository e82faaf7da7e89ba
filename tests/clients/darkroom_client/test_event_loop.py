"""Blocking calls run on one background loop, and an interrupt reaches them."""

import asyncio
import signal
import subprocess
import sys

import pytest

from darkroom_client.event_loop import shared_loop


async def numbers(closed: list):
    try:
        for number in range(100):
            yield number
            await asyncio.sleep(0)
    finally:
        closed.append(True)


def test_a_result_and_an_error_come_back():
    async def double(value: int) -> int:
        if value < 0:
            raise ValueError("negative")
        return value * 2

    assert shared_loop().run(double(4)) == 8
    with pytest.raises(ValueError, match="negative"):
        shared_loop().run(double(-1))


def test_leaving_an_iteration_early_closes_it():
    closed = []
    for number in shared_loop().iterate(numbers(closed)):
        if number == 3:
            break
    assert closed == [True]


def test_a_blocking_call_inside_the_loop_is_refused_where_it_would_hang():
    async def inside() -> None:
        shared_loop().run(asyncio.sleep(0))

    with pytest.raises(RuntimeError, match="use AsyncClient there"):
        shared_loop().run(inside())


def test_ctrl_c_cancels_the_call_and_waits_for_its_end():
    code = (
        "import asyncio, sys\n"
        "from darkroom_client.event_loop import shared_loop\n"
        "async def work():\n"
        "    try:\n"
        "        print('begun', flush=True); await asyncio.sleep(60)\n"
        "    finally:\n"
        "        print('cleaned', flush=True)\n"
        "try: shared_loop().run(work())\n"
        "except KeyboardInterrupt: print('interrupted', flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=-1, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "cleaned\ninterrupted\n"
