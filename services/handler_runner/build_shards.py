"""Builds the shards of a plan on all workers, and stages each while the next ones are being built."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handler_runner.executor import Executor
from handler_runner.failure import FailureClass, WorkFailed
from handler_runner.handler_command import HandlerCommand
from handler_runner.printable import printable
from handler_runner.run_command import run_command
from handler_runner.shard_facts import ShardFacts
from handler_runner.slots import Slots
from handler_runner.staging import StagedShard, Staging
from handler_runner.together import together
from handler_runner.work_session import WorkSession
from service_kit.crash_points import reach

# Staged at a time, and finished files that may wait for it: more would fill the disk while the store is down.
_STAGERS = 4
_NAMED_SKIPS = 20


@dataclass(frozen=True)
class BuiltShard:
    """A staged shard and what the manifest needs of it."""

    staged: StagedShard
    facts: ShardFacts


class ShardBuild:
    """One plan of kind ``shards``, from the shards that earlier attempts left to all of them."""

    def __init__(
        self,
        session: WorkSession,
        executor: Executor,
        staging: Staging,
        command: HandlerCommand,
        plan: Mapping[str, Any],
    ) -> None:
        self._session, self._executor, self._staging, self._command = session, executor, staging, command
        self._max_bad = int(plan["max_bad"])
        self._tasks = {_name(task): task for task in plan["shards"]}
        self._slots = Slots(executor.capacity)
        self._built: dict[str, BuiltShard] = {}

    async def run(self, rows: Mapping[str, StagedShard]) -> list[BuiltShard]:
        """Return every shard, built now or before; ``rows`` are those on record. Raises `WorkFailed`."""
        for row, facts in (await self._staging.recall(rows[name] for name in self._tasks if name in rows)).items():
            self._count(row.entry.name.removesuffix(".tfrecord"), row, facts, reused=True)
        if self._built:
            self._session.log.note(f"{len(self._built)} of {len(self._tasks)} shards are there from an earlier attempt")
        missing = deque(name for name in self._tasks if name not in self._built)
        # Workers and stagers run side by side; the queue is what may lie finished on the scratch disk.
        finished: asyncio.Queue[tuple[str, Path, ShardFacts] | None] = asyncio.Queue(self._executor.capacity)
        await together(self._work(missing, finished), *(self._stage(finished) for _ in range(_STAGERS)))
        return [self._built[name] for name in self._tasks]

    async def _work(self, missing: deque[str], finished: asyncio.Queue[tuple[str, Path, ShardFacts] | None]) -> None:
        hands = min(self._executor.capacity, len(missing))
        await together(*(self._hand(missing, finished) for _ in range(hands)))
        for _ in range(_STAGERS):
            await finished.put(None)

    async def _hand(self, missing: deque[str], finished: asyncio.Queue[tuple[str, Path, ShardFacts] | None]) -> None:
        while missing:
            name = missing.popleft()
            output = self._session.scratch / f"{name}.tfrecord"
            facts = await build_shard(
                self._session, self._executor, self._command, self._tasks[name], self._slots, output
            )
            self._session.progress.skipped.extend(facts.skipped)
            self._check_skipped()
            reach("shard_built")
            await finished.put((name, output, facts))

    async def _stage(self, finished: asyncio.Queue[tuple[str, Path, ShardFacts] | None]) -> None:
        while (shard := await finished.get()) is not None:
            name, output, facts = shard
            task = self._tasks[name]
            staged, facts = await self._staging.stage(output, task["split"], task["index"], facts)
            await self._session.in_thread(output.unlink)
            self._count(name, staged, facts, reused=False)

    def _count(self, name: str, staged: StagedShard, facts: ShardFacts, *, reused: bool) -> None:
        self._built[name] = BuiltShard(staged, facts)
        if reused:
            self._session.progress.skipped.extend(facts.skipped)
            self._check_skipped()
        entry = staged.entry
        self._session.progress.committed(name, entry.record_count, entry.size_bytes, reused=reused)

    def _check_skipped(self) -> None:
        skipped = sorted(self._session.progress.skipped)
        if len(skipped) > self._max_bad:
            more = f" and {len(skipped) - _NAMED_SKIPS} more" if len(skipped) > _NAMED_SKIPS else ""
            raise WorkFailed(
                FailureClass.BAD_RAW_RECORD,
                f"at least {len(skipped)} raw files cannot be read, {self._max_bad} are allowed (max_bad_fraction): "
                f"{'; '.join(skipped[:_NAMED_SKIPS])}{more}. Repair or remove them.",
            )


async def build_shard(
    session: WorkSession,
    executor: Executor,
    command: HandlerCommand,
    task: Mapping[str, Any],
    slots: Slots,
    output: Path,
) -> ShardFacts:
    """Build one shard of a plan into ``output``. Raises `WorkFailed`."""
    fields = command.fields("shard", shard=dict(task), output=str(output))
    result = await run_command(session, executor, command, fields, slots, shard=_name(task), output=output)
    session.progress.running(_name(task), int(result.get("examples", 0)))
    skipped = (f"{each['path']}: {each['reason']}" for each in result.get("skipped") or ())
    return ShardFacts(
        features=result.get("features") or {},
        skipped=tuple(printable(command.without_folders(each)) for each in skipped),
    )


def _name(task: Mapping[str, Any]) -> str:
    return f"{task['split']}-{task['index']:05}"
