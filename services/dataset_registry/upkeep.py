"""What time brings: leases and interests end, waiting requests go on, and old rows go."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog

from dataset_registry.catalog import Catalog, Transaction, Where
from dataset_registry.dispatch import settle_failure
from dataset_registry.failures import LONGEST_PAUSE_S, FailureClass, failure
from dataset_registry.gathering import UNFINISHED
from dataset_registry.lease_clock import LeaseClock
from dataset_registry.metrics import count_ended
from dataset_registry.records import Dataset, Request, Work
from dataset_registry.registry import Registry
from dataset_registry.states import DatasetState, RequestState, WorkKind, WorkState
from dataset_registry.watching import Board, within
from service_kit.crash_points import reach
from service_kit.errors import DarkroomError

log = structlog.get_logger()

# Without a commit to wake it, it looks this often.
IDLE_S = 0.5
# Requests that one transaction takes on.
BATCH = 100
# Finished work that nobody can ask for any more goes after so long.
KEEP_S = 3600.0
PRUNE_EVERY_S = 300.0

_FORGOTTEN = (WorkKind.PREVIEW, WorkKind.SNAPSHOT, WorkKind.ENVIRONMENT, WorkKind.VERIFY, WorkKind.COMPARE)
_ACTIVE = (RequestState.RESOLVING, RequestState.BUILDING)


class Upkeep:
    """Runs beside the servicers in every replica; two at once do no harm."""

    def __init__(
        self, catalog: Catalog, registry: Registry, board: Board, cancel_grace_s: float, lease_s: float
    ) -> None:
        self._catalog = catalog
        self._registry = registry
        self._board = board
        self._cancel_grace_s = cancel_grace_s
        self._pruned = 0.0
        self._lease_s = lease_s
        self._lease_clock = LeaseClock(lease_s)

    async def run(self) -> None:
        """Go round for ever; an error of the catalogue or the store is logged and met again in the next round."""
        committed = self._board.commits()
        while True:
            committed.clear()
            try:
                await self.once()
            except DarkroomError as error:
                log.warning("upkeep_waits", message=error.message)
                await asyncio.sleep(1.0)
            await within(committed, IDLE_S)

    async def once(self) -> None:
        """One round."""
        await asyncio.to_thread(self._expire)
        active = await self._catalog.read_soon(lambda tx: tx.unsettled())
        if active:
            reach("requests_not_told")
        for start in range(0, len(active), BATCH):
            await self._registry.advance(active[start : start + BATCH])
            # A long round must not look like an absence.
            await asyncio.to_thread(self._expire)

    def _expire(self) -> None:
        """Write only where a read shows that something is due."""

        def due(tx: Transaction) -> bool:
            now = tx.now()
            return bool(
                self._lost(tx, now)
                or self._lease_clock.doubtful
                or _outlived(tx, now)
                or any(_idle_step(tx, each, now, self._cancel_grace_s) is not each for each in _building(tx))
                or now - self._pruned > PRUNE_EVERY_S
            )

        if self._catalog.read(due):
            for work in self._catalog.write(self._expire_step):
                count_ended(work)
            self._lease_clock.doubtful = False

    def _expire_step(self, tx: Transaction) -> list[Work]:
        """Do what is due, and return the work that was in hand and is no more."""
        now = tx.now()
        ended: list[Work] = []
        for work in self._lost(tx, now):
            lost = failure(FailureClass.WORKER_LOST, f"the runner {work.runner} did not report for a whole lease")
            ended.append(settle_failure(tx, work, lost))
        self._shorten(tx, now)
        for request in _outlived(tx, now):
            tx.put(request.ended(now, RequestState.EXPIRED))
        for dataset in _building(tx):
            after = _idle_step(tx, dataset, now, self._cancel_grace_s)
            if after is not dataset:
                tx.put(after)
                if after.state == DatasetState.CANCELLED:
                    ended += _cancel_build(tx, dataset.id, now)
        if now - self._pruned > PRUNE_EVERY_S:
            self._pruned = now
            tx.delete(
                Work,
                Where("kind", "in", _FORGOTTEN),
                Where("state", "in", (WorkState.DONE, WorkState.FAILED, WorkState.CANCELLED)),
                Where("finish_time", "<", now - KEEP_S),
            )
        return ended

    def _lost(self, tx: Transaction, now: float) -> list[Work]:
        if not self._lease_clock.look(now):
            return []
        # In the order of an index that holds nothing else.
        lost = Where("state", "=", WorkState.RUNNING), Where("lease_until", "<", now)
        return tx.find(Work, *lost, order=("lease_until", "id"))

    def _shorten(self, tx: Transaction, now: float) -> None:
        """Shorten leases and pauses that a clock which was ahead has written, or a dead holder keeps them for hours."""
        if not self._lease_clock.doubtful:
            return
        far = now + max(self._lease_s, LONGEST_PAUSE_S)
        for work in tx.find(Work, Where("state", "=", WorkState.RUNNING), Where("lease_until", ">", far)):
            tx.put(work.renewed(now, self._lease_s, None))
        for work in tx.find(Work, Where("state", "=", WorkState.QUEUED), Where("not_before", ">", far)):
            tx.put(work.requeued())


def _outlived(tx: Transaction, now: float) -> list[Request]:
    return tx.find(
        Request, Where("state", "in", _ACTIVE), Where("expire_time", ">", 0.0), Where("expire_time", "<", now)
    )


def _building(tx: Transaction) -> list[Dataset]:
    """Return the datasets being built that somebody may have to stop."""
    found = [tx.get(Dataset, key) for key in tx.unwanted()]
    # An import is nobody's request: it goes on until it ends.
    return [each for each in found if each is not None and not each.imported]


def _idle_step(tx: Transaction, dataset: Dataset, now: float, grace_s: float) -> Dataset:
    """Return the dataset itself while somebody waits for it; otherwise idle, and at last cancelled."""
    wanted = tx.count(Request, Where("key", "=", dataset.id), Where("state", "=", RequestState.BUILDING)) > 0
    if wanted:
        return replace(dataset, idle_since=0.0) if dataset.idle_since else dataset
    if not dataset.idle_since:
        return replace(dataset, idle_since=now)
    if now - dataset.idle_since < grace_s:
        return dataset
    stopped = failure(FailureClass.CANCELLED, "nobody waits for it any more; committed shards are kept")
    return dataset.ended(now, DatasetState.CANCELLED, stopped)


def _cancel_build(tx: Transaction, key: str, now: float) -> list[Work]:
    ours = Where("kind", "=", WorkKind.BUILD), Where("subject", "=", key), UNFINISHED
    return [tx.put(work.ended(now, WorkState.CANCELLED)) for work in tx.find(Work, *ours)]
