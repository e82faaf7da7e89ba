"""Callers of the inpainting service who leave, by the hundred and at any moment: nothing goes on for them.

By hand with a thousand: DARKROOM_CANCELS=1000 .venv/bin/python -m pytest -s tests/e2e/test_cancel_storm.py
"""

from __future__ import annotations

import asyncio
import io
import os
import random
import statistics
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import psutil
import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families
from skimage import data, transform

from darkroom.inpainting.v1 import inpainting_pb2 as pb
from darkroom.inpainting.v1 import inpainting_pb2_grpc
from service_kit.spare_memory import GIVE_BACK_EVERY_S

from ..ports import free_port
from .inpainting_house import InpaintingHouse

CANCELS = int(os.environ.get("DARKROOM_CANCELS", "100"))
# Callers who come at once, at two photos in work at a time.
CALLERS = 20
# Each leaves within this time; what is easy is done by then, or still waits.
LEFT_WITHIN_S = 1.0
# How long the service is looked at when all have left, and how often.
LOOK_S, LOOK_EVERY_S = 1.5, 0.02
# Processor time that it takes meanwhile although nobody asks for anything.
IDLE_S = 0.02
# Promised is a stop within 0.1 s, which on a busy machine only processor time can tell.
SPENT_S = 1.0
# A photo that stayed would be 50 MB.
MORE_FILES, MORE_THREADS, MORE_BYTES = 8, 8, 256 << 20
METHODS = ("Inpaint", "WatchInpaint", "InpaintBatch")
ITEMS = 5


@pytest.fixture
def house(tmp_path: Path) -> Iterator[InpaintingHouse]:
    house = InpaintingHouse(tmp_path / "house", METRICS_LISTEN=f"localhost:{free_port()}")
    try:
        yield house.start()
    finally:
        house.end()


def test_callers_who_leave_at_any_moment_leave_nothing_behind(house: InpaintingHouse) -> None:
    asyncio.run(storm(house))


async def storm(house: InpaintingHouse) -> None:
    chance = random.Random(26)
    service = psutil.Process(house.service.pid)
    hard, easy = hard_work(), easy_work()
    async with grpc.aio.insecure_channel(
        house.server, options=[("grpc.max_receive_message_length", 16 << 20)]
    ) as channel:
        stub = inpainting_pb2_grpc.InpaintingServiceStub(channel)
        expected = (await stub.Inpaint(easy)).candidates[0].photo.content
        # The first ones make threads, and fill pools, that stay.
        await leave_all(stub, hard, easy, chance)
        await quiet(service)
        before, files = footprint(service), contents(house.folder)
        ends: Counter[str] = Counter()
        stopped_s, spent_s = [], []
        for _ in range(0, CANCELS, CALLERS):
            ends += await leave_all(stub, hard, easy, chance)
            busy_s, used_s = await quiet(service)
            stopped_s.append(busy_s)
            spent_s.append(used_s)
            metrics = await stub.GetMetrics(pb.GetMetricsRequest())
            assert (metrics.running_count, metrics.waiting_count) == (0, 0)
        assert (await stub.Inpaint(easy)).candidates[0].photo.content == expected
    assert ends.keys() <= {"OK", "CANCELLED"}
    assert ends["OK"] > 0
    assert ends["CANCELLED"] > CANCELS / 2
    print(
        f"{dict(ends)}: compute went on for {statistics.median(stopped_s):.2f} s after the last had left (median), "
        f"{max(stopped_s):.2f} s at most, and took {max(spent_s):.2f} s of processor time at most"
    )
    assert max(spent_s) < SPENT_S
    seen = scraped(house)
    print({key: value for key, value in seen.items() if key[0] == "darkroom_inpainting_ended_total"})
    assert seen[("darkroom_inpainting_waiting",)] == seen[("darkroom_inpainting_running",)] == 0
    assert seen[("darkroom_inpainting_ended_total", "failed")] == 0
    for method in METHODS:
        name = f"darkroom.inpainting.v1.InpaintingService/{method}"
        begun = seen[("grpc_server_call_started_total", name)]
        ended = [value for key, value in seen.items() if key[:2] == ("grpc_server_call_duration_seconds_count", name)]
        assert begun == sum(ended) > CANCELS / 10
    # By then what nobody uses has been given back.
    time.sleep(GIVE_BACK_EVERY_S + 2.0)
    after = footprint(service)
    print("files, threads and bytes of memory:", before, "before,", after, "after")
    assert after[0] <= before[0] + MORE_FILES
    assert after[1] <= before[1] + MORE_THREADS
    assert after[2] <= before[2] + MORE_BYTES
    assert contents(house.folder) == files
    assert '"level": "error"' not in house.service.log
    assert "Traceback" not in house.service.log


async def leave_all(
    stub: inpainting_pb2_grpc.InpaintingServiceStub,
    hard: pb.InpaintRequest,
    easy: pb.InpaintRequest,
    chance: random.Random,
) -> Counter[str]:
    """Begin calls of each kind, leave each at some moment, and return how they ended."""
    return Counter(
        await asyncio.gather(
            *(
                leave(
                    stub, METHODS[number % 3], hard if chance.random() < 0.6 else easy, chance.random() * LEFT_WITHIN_S
                )
                for number in range(CALLERS)
            )
        )
    )


async def leave(
    stub: inpainting_pb2_grpc.InpaintingServiceStub, method: str, work: pb.InpaintRequest, after_s: float
) -> str:
    """Begin one call, read what comes, and leave after so long."""
    parts = {"photo": work.photo, "mask": work.mask, "options": work.options}
    match method:
        case "Inpaint":
            call = stub.Inpaint(work)
        case "WatchInpaint":
            call = stub.WatchInpaint(pb.WatchInpaintRequest(previews=True, **parts))
        case _:
            call = stub.InpaintBatch(iter([pb.InpaintBatchRequest(id=str(number), **parts) for number in range(ITEMS)]))
    reading = asyncio.ensure_future(read_all(call))
    await asyncio.wait([reading], timeout=after_s)
    call.cancel()
    await reading
    return (await call.code()).name


async def read_all(call: Any) -> None:
    """Take what comes until the call ends, in whatever way."""
    with suppress(grpc.aio.AioRpcError, asyncio.CancelledError):
        if isinstance(call, grpc.aio.UnaryUnaryCall):
            await call
        else:
            async for _ in call:
                pass


async def quiet(service: psutil.Process) -> tuple[float, float]:
    """Return how long a service was still busy from now on, and how much processor time it took for that."""
    begin_s, begin_cpu_s = time.monotonic(), cpu_s(service)
    seen = [(0.0, 0.0)]
    while seen[-1][0] < LOOK_S:
        await asyncio.sleep(LOOK_EVERY_S)
        seen.append((time.monotonic() - begin_s, cpu_s(service) - begin_cpu_s))
    busy_s = max((at_s for at_s, used_s in seen if used_s < seen[-1][1] - IDLE_S), default=0.0)
    return busy_s, seen[-1][1]


def cpu_s(service: psutil.Process) -> float:
    times = service.cpu_times()
    return float(times.user + times.system)


def footprint(service: psutil.Process) -> tuple[int, int, int]:
    """Return open files, threads, and bytes of memory."""
    return service.num_fds(), service.num_threads(), service.memory_info().rss


def contents(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def scraped(house: InpaintingHouse) -> dict[tuple[str, ...], float]:
    with urllib.request.urlopen(f"http://{house.settings['METRICS_LISTEN']}/metrics", timeout=30) as page:
        families = text_string_to_metric_families(page.read().decode())
        return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


def hard_work() -> pb.InpaintRequest:
    """Return what takes many seconds: a large hole in a large photo, from patches."""
    pixels = (transform.resize(data.astronaut(), (1600, 1600)) * 255).astype(np.uint8)
    return work(pixels, pb.Box(x=300, y=300, width=900, height=900), "patchmatch")


def easy_work() -> pb.InpaintRequest:
    """Return what takes a moment."""
    return work(data.astronaut(), pb.Box(x=200, y=100, width=60, height=80), "ns")


def work(pixels: np.ndarray, box: pb.Box, model: str) -> pb.InpaintRequest:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "jpeg")
    return pb.InpaintRequest(
        photo=pb.Photo(content=buffer.getvalue()), mask=pb.Mask(boxes=[box]), options=pb.InpaintOptions(model=model)
    )
