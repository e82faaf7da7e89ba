"""Hands work to the runners that call for it, and takes back what they made: leases, fences, commits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any

import structlog

from dataset_registry import names
from dataset_registry.build_log import append_log
from dataset_registry.catalog import Catalog, Transaction, Where
from dataset_registry.failures import FailureClass, after_failure
from dataset_registry.gathering import FactFailed, join_environment
from dataset_registry.locks import keep_lock, with_locks
from dataset_registry.metrics import SHARD_BYTES, SHARDS_COMMITTED, WORK_ENDED, count_claimed, count_ended
from dataset_registry.records import Dataset, Environment, RawDataset, Record, Runner, Shard, Work
from dataset_registry.repositories import environment_id
from dataset_registry.states import MAKES_DATASET, DatasetState, WorkKind, WorkState
from dataset_registry.waiting_work import LOOK_S, WaitingWork
from dataset_registry.watching import Board, GoingDown, within
from dataset_registry.work_results import check_counts, check_result
from service_kit.crash_points import reach
from service_kit.errors import Aborted, FailedPrecondition, InvalidArgument, NotFound

log = structlog.get_logger()

# Failures that tell that a raw dataset is not what its last walk found.
_RAW_IS_OTHER = (FailureClass.RAW_CHANGED, FailureClass.RAW_MISSING)
# A runner's row is written again after so long, not at every call.
SEEN_AGAIN_S = 5.0


@dataclass(frozen=True)
class Pulse:
    """What a heartbeat learns."""

    go_on: bool
    lease_s: float


class Dispatch:
    """The registry's side for runners."""

    def __init__(self, catalog: Catalog, board: Board, lease_s: float) -> None:
        self._catalog = catalog
        self._board = board
        self._lease_s = lease_s
        self._waiting = WaitingWork(catalog)
        self._told: dict[str, tuple[Runner, float]] = {}

    @property
    def lease_s(self) -> float:
        """How long a lease lasts without a heartbeat."""
        return self._lease_s

    async def claim(self, runner: Runner, kinds: Collection[str], wait_s: float) -> Work | None:
        """Claim the oldest work that the runner can do, waiting for some if there is none."""
        names.check_raw_name(runner.id)
        await self._hear(runner)
        committed = self._board.commits()
        deadline = asyncio.get_running_loop().time() + min(max(wait_s, 0.0), 30.0)
        fresh = True
        try:
            while not self._board.closed:
                committed.clear()
                oldest = await self._waiting.oldest(runner, kinds, fresh=fresh)
                work = await self._claim_one(runner, oldest) if oldest else None
                if work is not None:
                    return work
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0:
                    return None
                await within(committed, min(left, LOOK_S))
                fresh = bool(oldest) or committed.is_set()
            raise GoingDown("this registry is going down; ask again")
        finally:
            self._board.forget(committed)

    async def heartbeat(
        self, name: str, fence: int, progress: dict[str, Any] | None, text: str, log_offset: int
    ) -> Pulse:
        """Extend the lease and keep what the runner says. Raises `Aborted` when fenced out."""

        def step(tx: Transaction) -> Pulse:
            work = tx.get(Work, _identity(name))
            if work is not None and work.fence == fence and work.state == WorkState.CANCELLED:
                return Pulse(False, self._lease_s)
            work = _held(work, name, fence)
            if text:
                append_log(tx, work, text, log_offset)
            tx.put(work.renewed(tx.now(), self._lease_s, progress))
            return Pulse(True, self._lease_s)

        return await self._catalog.write_soon(step)

    async def commit_shard(self, name: str, fence: int, shard: Shard) -> Shard:
        """Record a staged shard; the first row for a place stays. Raises `Aborted` when fenced out."""
        check_counts("shard", asdict(shard))

        def step(tx: Transaction) -> tuple[Shard, bool]:
            work = _held(tx.get(Work, _identity(name)), name, fence)
            if work.kind not in MAKES_DATASET:
                raise InvalidArgument.of([("work", f"{name} is no build: it commits no shards")])
            known = tx.get(Shard, f"{work.subject}/{shard.split}/{shard.index}")
            if known is not None:
                return known, False
            return tx.put(replace(shard, id=f"{work.subject}/{shard.split}/{shard.index}", key=work.subject)), True

        stored, new = await self._catalog.write_soon(step)
        if new:
            SHARDS_COMMITTED.inc()
            SHARD_BYTES.inc(stored.size_bytes)
            reach("shard_row_written")
        return stored

    async def list_shards(self, name: str, fence: int, after: tuple[str, int] | None, limit: int) -> list[Shard]:
        """Return committed shards behind ``after``, by split and index. Raises `Aborted` when fenced out."""

        def step(tx: Transaction) -> list[Shard]:
            work = _held(tx.get(Work, _identity(name)), name, fence)
            return tx.find(Shard, Where("key", "=", work.subject), order=("split", "index"), after=after, limit=limit)

        return await self._catalog.read_soon(step)

    async def finish(self, name: str, fence: int, result: dict[str, Any]) -> None:
        """End work with its result; publishing is this one transaction. Raises `Aborted` when fenced out."""

        def step(tx: Transaction) -> Work | None:
            work = tx.get(Work, _identity(name))
            if work is not None and work.fence == fence and work.state == WorkState.DONE:
                return None
            work = _held(work, name, fence)
            check_result(work.kind, result)
            _keep_result(tx, work, result)
            # What an environment declares is kept as its record; once is enough.
            return tx.put(work.done(tx.now(), {} if work.kind == WorkKind.ENVIRONMENT else result))

        ended = await self._catalog.write_soon(step)
        count_ended(ended)
        if ended is not None and ended.kind in MAKES_DATASET:
            reach("published")

    async def fail(self, name: str, fence: int, failure: dict[str, Any]) -> None:
        """End work with a failure: it is tried again, or fails for good, by its class."""

        def step(tx: Transaction) -> Work | None:
            work = tx.get(Work, _identity(name))
            if work is not None and work.fence == fence and not work.unfinished:
                return None
            return settle_failure(tx, _held(work, name, fence), failure)

        count_ended(await self._catalog.write_soon(step))
        log.info("work_failed", work=name, failure=failure.get("failure_class"), message=failure.get("message"))

    async def release(self, name: str, fence: int, reason: str) -> None:
        """Put work back unfinished: another may go on at once, and no try is counted."""

        def step(tx: Transaction) -> Work:
            return tx.put(_held(tx.get(Work, _identity(name)), name, fence).requeued())

        WORK_ENDED.labels((await self._catalog.write_soon(step)).kind, "released").inc()
        log.info("work_released", work=name, reason=reason)

    async def _hear(self, runner: Runner) -> None:
        """Keep what a runner says of itself, unless it said the same a moment ago."""
        now, told = time.monotonic(), replace(runner, free_bytes=0)
        before, when = self._told.get(runner.id, (None, 0.0))
        if told != before or now - when > SEEN_AGAIN_S:
            await self._catalog.write_soon(lambda tx: _seen(tx, runner))
            self._told[runner.id] = told, now

    async def _claim_one(self, runner: Runner, oldest: list[str]) -> Work | None:
        def step(tx: Transaction) -> Work | None:
            # One by one, and not the queue again: claims of different work then do not stand in each other's way.
            for identity in oldest:
                work = tx.get(Work, identity)
                if work is not None and work.state == WorkState.QUEUED and work.not_before <= tx.now():
                    return with_locks(tx, tx.put(work.claimed(tx.now(), runner.id, self._lease_s)))
            return None

        with self._waiting.taking(oldest[0]):
            work = await self._catalog.write_soon(step)
        if work is not None:
            count_claimed(work)
            # The id of whoever caused the work, not of the runner's call.
            facts = {"work": f"work/{work.id}", "kind": work.kind, "runner": runner.id}
            facts |= {"request_id": work.log_id} if work.log_id else {}
            log.info("work_claimed", fence=work.fence, **facts)
            reach("claim_written")
        return work


def settle_failure(tx: Transaction, work: Work, failure: dict[str, Any]) -> Work:
    """Queue failed work again or end it, and with it the dataset that it was building."""
    work = tx.put(after_failure(work, tx.now(), failure))
    if failure["failure_class"] in _RAW_IS_OTHER:
        # The last walk, however fresh, answers no further request: whoever asks again gets the new state.
        tx.delete(RawDataset, Where("id", "in", work.raw_names))
    if work.state == WorkState.FAILED and work.kind in MAKES_DATASET:
        dataset = tx.get(Dataset, work.subject)
        if dataset is not None and dataset.state == DatasetState.BUILDING:
            tx.put(dataset.ended(tx.now(), DatasetState.FAILED, failure))
    return work


def _held(work: Work | None, name: str, fence: int) -> Work:
    """Return the work if the fence is its last one and it is unfinished."""
    if work is None:
        raise NotFound(f"there is no {name}")
    if work.fence != fence or not work.unfinished:
        raise Aborted(f"{name} under fence {fence} is over: it is {work.state} under fence {work.fence}")
    return work


def _keep_result(tx: Transaction, work: Work, result: dict[str, Any]) -> None:
    now = tx.now()
    match work.kind:
        case WorkKind.ENVIRONMENT:
            _put(tx, Environment(id=work.subject, description=keep_lock(tx, result["description"])))
        case WorkKind.SNAPSHOT:
            _put(tx, RawDataset(id=work.subject, scan_time=now, **result))
        case WorkKind.BUILD | WorkKind.IMPORT:
            dataset = tx.get(Dataset, work.subject)
            if dataset is None or dataset.state != DatasetState.BUILDING:
                raise Aborted(f"datasets/{work.subject} is not being built any more")
            if dataset.digest and dataset.digest != result["digest"]:
                log.error("rebuild_differs", key=work.subject, before=dataset.digest, now=result["digest"])
            tx.put(dataset.published(now, result))
            # The archive holds their bytes now: the collector may take the staged objects.
            tx.delete(Shard, Where("key", "=", work.subject))
            reach("publishing")


def _put(tx: Transaction, record: Record) -> None:
    known = tx.get(type(record), record.id)
    tx.put(replace(record, revision=known.revision if known else 0))


def _seen(tx: Transaction, runner: Runner) -> None:
    """Keep what a runner says of itself, and have a repository that nobody described yet described."""
    now = tx.now()
    known = tx.get(Runner, runner.id)
    same = known is not None and replace(
        known, revision=0, update_time=0.0, seen_time=0.0, free_bytes=runner.free_bytes
    ) == replace(runner, seen_time=0.0)
    if known is None or not same or now - known.seen_time > SEEN_AGAIN_S:
        tx.put(replace(runner, revision=known.revision if known else 0, seen_time=now))
    if known is not None and known.instance != runner.instance:
        # The process that held these is gone: no need to wait for its leases.
        for work in tx.find(Work, Where("state", "=", WorkState.RUNNING), Where("runner", "=", runner.id)):
            tx.put(work.requeued())
    for repository in runner.repositories:
        if not repository["commit"] or repository.get("refusal"):
            continue
        if tx.get(Environment, environment_id(repository["name"], repository["commit"])) is None:
            # A description that failed lately is not tried at every call.
            try:
                join_environment(tx, repository["name"], repository["commit"], repository["version"], now - 60.0)
            except (FactFailed, FailedPrecondition):
                continue


def _identity(name: str) -> str:
    prefix, _, identity = name.partition("/")
    if prefix != "work" or not identity:
        raise InvalidArgument.of([("work", f"must be work/ID, not {name[:200]!r}")])
    return identity
