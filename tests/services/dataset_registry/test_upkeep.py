"""The database's clock is set, or the registry was away, while work is under way: no holder suffers, nothing waits."""

from __future__ import annotations

import asyncio
import time

import pytest

from dataset_registry.dispatch import Dispatch
from dataset_registry.records import Work
from dataset_registry.states import WorkState
from dataset_registry.upkeep import Upkeep

from .conftest import RUNNER, House

HOUR_S = 3600.0
LEASE_S = 6.0


class LabHouse(House):
    """A registry whose rounds a test makes itself, and whose database's clock it sets."""

    def __init__(self, folder) -> None:
        super().__init__(folder)
        self.ahead_s = 0.0
        self.catalog._database.now = lambda connection: time.time() + self.ahead_s
        self.dispatch = Dispatch(self.catalog, self.board, LEASE_S)
        self.upkeep = Upkeep(self.catalog, self.registry, self.board, cancel_grace_s=30.0, lease_s=LEASE_S)

    async def building(self) -> Work:
        """Return a build that a runner has."""
        await self.upkeep.once()
        await self.described()
        await self.registry.request_dataset("street", "latest", "{}")
        await self.walked()
        await self.upkeep.once()
        return await self.claim(RUNNER, "BUILD")

    def work(self, work: Work) -> Work:
        """Return the work as it is now."""
        found = self.catalog.read(lambda tx: tx.get(Work, work.id))
        assert found is not None
        return found


@pytest.fixture
async def lab(tmp_path):
    """A registry, a moment after its start."""
    house = LabHouse(tmp_path)
    yield house
    house.catalog.close()


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S, 24 * HOUR_S, -24 * HOUR_S])
async def test_no_lease_ends_early_when_the_databases_clock_is_set(lab: LabHouse, jump_s: float) -> None:
    work = await lab.building()
    lab.ahead_s = jump_s
    await lab.upkeep.once()
    assert lab.work(work).state == WorkState.RUNNING
    assert (await lab.dispatch.heartbeat(f"work/{work.id}", work.fence, None, "", 0)).go_on
    await lab.upkeep.once()
    after = lab.work(work)
    assert (after.state, after.fence, after.failure_counts) == (WorkState.RUNNING, work.fence, {})


async def test_a_dead_holder_keeps_nothing_for_an_hour_when_the_clock_is_set_back(lab: LabHouse) -> None:
    work = await lab.building()
    lab.ahead_s = -HOUR_S
    for _ in range(600):
        await lab.upkeep.once()
        if lab.work(work).state == WorkState.QUEUED:
            break
        await asyncio.sleep(0.1)
    lost = lab.work(work)
    assert (lost.state, lost.failure_counts) == (WorkState.QUEUED, {"WORKER_LOST": 1})


async def test_work_that_rests_rests_no_hour_when_the_clock_is_set_back(lab: LabHouse) -> None:
    work = await lab.building()
    failure = {"failure_class": "TRANSIENT_IO", "message": "the disk went away", "deterministic": False}
    await lab.dispatch.fail(f"work/{work.id}", work.fence, failure)
    lab.ahead_s = -HOUR_S
    await lab.upkeep.once()
    again = await lab.claim(RUNNER, "BUILD", wait_s=20)
    assert again.id == work.id


async def test_a_walk_of_the_future_answers_no_request(lab: LabHouse) -> None:
    await lab.building()
    lab.ahead_s = -HOUR_S
    await lab.registry.request_dataset("street", "latest", "{}")
    # The photos may have changed since: they are walked again.
    await lab.walked("e" * 64)
