"""A lease is kept, and its loss is learned."""

from __future__ import annotations

import asyncio

import pytest

from darkroom.dataset.v1 import dataset_pb2
from darkroom.handler.v1 import handler_pb2
from handler_runner.lease import Lease, LeaseLost
from handler_runner.progress import WorkProgress
from handler_runner.registry_link import RegistryLink
from handler_runner.work_log import WorkLog


@pytest.fixture
async def link(registry):
    link = RegistryLink(registry.address)
    yield link
    await link.close()


async def claimed(registry, link):
    registry.queue("SNAPSHOT", {"raw_dataset": "street"})
    runner = handler_pb2.RunnerDescription(name="studio", instance="first")
    work = await link.claim(runner, [handler_pb2.WORK_KIND_SNAPSHOT], 5.0)
    progress = WorkProgress("studio", 1)
    log = WorkLog(on_append=progress.touch)
    return work, progress, log, Lease(link, work, progress, log)


async def test_nothing_to_claim_is_none(registry, link):
    assert await link.claim(handler_pb2.RunnerDescription(name="studio"), [], 0.1) is None


async def test_heartbeats_bring_progress_and_log_soon(registry, link):
    work, progress, log, lease = await claimed(registry, link)
    identity = work.name.partition("/")[2]
    keeping = asyncio.create_task(lease.keep())
    progress.enter(dataset_pb2.STAGE_SNAPSHOT)
    progress.files(3, 10)
    await registry.until(lambda: registry.work(identity).progress.get("files_done") == "3", 3.0)
    log.append("a line\n")
    await registry.until(lambda: registry.log(registry.work(identity).subject) == "a line\n", 3.0)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_another_fence_is_learned(registry, link):
    work, _, _, lease = await claimed(registry, link)
    other = handler_pb2.Work()
    other.CopyFrom(work)
    other.fence += 1
    with pytest.raises(LeaseLost) as caught:
        await Lease(link, other, WorkProgress("studio", 1), WorkLog()).beat()
    assert not caught.value.stopped
    await lease.beat()


async def test_a_registry_that_is_away_ends_no_lease(registry, link):
    _, _, log, lease = await claimed(registry, link)
    keeping = asyncio.create_task(lease.keep())
    await registry.stop()
    log.append("written meanwhile\n")
    await lease.flush()
    assert log.unsent
    await registry.start()
    await registry.until(lambda: not log.unsent, 10.0)
    assert not keeping.done()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
