"""Runs a handler in the seed's style, one whole `as_tfrecord`, and stages all of its files once it has finished."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from handler_runner.build_shards import BuiltShard
from handler_runner.executor import Executor
from handler_runner.failure import FailureClass, WorkFailed
from handler_runner.handler_command import HandlerCommand
from handler_runner.run_command import run_command
from handler_runner.shard_facts import ShardFacts
from handler_runner.slots import Slots
from handler_runner.staging import StagedShard, Staging, staged_from_json, staged_to_json
from handler_runner.together import together
from handler_runner.work_session import WorkSession
from service_kit.crash_points import reach

# Thousands of small files: each costs the store and the registry a round trip.
_AT_A_TIME = 16
_UNIT = "records.facts.json"


class RecordsBuild:
    """One run of a handler, a unit that is resumed from its start or not at all.

    All files are in the store, and a unit object names them, before the first is put on record. So a row on record
    leads to its unit, and never to files of two runs, which a handler without a seed would make differ.
    """

    def __init__(self, session: WorkSession, executor: Executor, staging: Staging, command: HandlerCommand) -> None:
        self._session, self._executor, self._staging, self._command = session, executor, staging, command

    async def run(self, rows: Mapping[str, StagedShard]) -> list[BuiltShard]:
        """Return every shard, of this run or of the earlier one that was on its way. Raises `WorkFailed`."""
        unit = await self._earlier(rows)
        if unit is None:
            unit = await self._run()
        shards, facts = unit
        self._session.progress.plan(len(shards), sum(shard.entry.record_count for shard in shards))
        limit = asyncio.Semaphore(_AT_A_TIME)

        async def commit(shard: StagedShard) -> None:
            reused = rows.get(shard.entry.name.removesuffix(".tfrecord")) == shard
            if not reused:
                async with limit:
                    await self._staging.commit(shard)
            entry = shard.entry
            self._session.progress.committed(entry.name, entry.record_count, entry.size_bytes, reused=reused)

        await together(*map(commit, shards))
        return [BuiltShard(shard, facts) for shard in shards]

    async def _earlier(self, rows: Mapping[str, StagedShard]) -> tuple[list[StagedShard], ShardFacts] | None:
        for prefix in sorted({row.object.rpartition("/")[0] for row in rows.values()}):
            data = await self._staging.read(f"{prefix}/{_UNIT}")
            try:
                facts = json.loads(data or b"")
                shards = [staged_from_json(shard) for shard in facts["shards"]]
                unit = shards, ShardFacts(features=facts["features"])
            except (ValueError, TypeError, KeyError):
                continue
            if len(await self._staging.there(shards)) == len(shards):
                self._session.log.note(f"the files of an earlier attempt are all there: {len(shards)}")
                return unit
        return None

    async def _run(self) -> tuple[list[StagedShard], ShardFacts]:
        files, facts = await run_records(self._session, self._executor, self._command)
        self._session.progress.plan(len(files), 0)
        limit = asyncio.Semaphore(_AT_A_TIME)

        async def put(path: Path, split: str, index: int) -> StagedShard:
            async with limit:
                return await self._staging.put_entry(path, split, index)

        shards = await together(*(put(*each) for each in files))
        reach("unit_files_put")
        unit = {"features": facts.features, "shards": [staged_to_json(shard) for shard in shards]}
        await self._staging.put(_UNIT, json.dumps(unit, sort_keys=True).encode())
        reach("unit_put")
        return shards, facts


async def run_records(
    session: WorkSession, executor: Executor, command: HandlerCommand
) -> tuple[list[tuple[Path, str, int]], ShardFacts]:
    """Run the handler once; return (path, split, index) of each file, and their features. Raises `WorkFailed`."""
    folder = session.scratch / "records"
    folder.mkdir()
    fields = command.fields("records", output_dir=str(folder))
    result = await run_command(session, executor, command, fields, Slots(1), shard="records", output=folder)
    session.progress.dropped("records")
    return _numbered(result.get("files") or [], folder), ShardFacts(features=result.get("features") or {})


def _numbered(files: list[dict[str, Any]], folder: Path) -> list[tuple[Path, str, int]]:
    """Return (path, split, index) of each file, numbered in its split in the order in which they were returned."""
    if not files:
        raise WorkFailed(FailureClass.HANDLER_ERROR, "as_tfrecord() returned no files; a list of them would do.")
    counts: Counter[str] = Counter()
    numbered = []
    for file in files:
        path, split = (folder / str(file["path"])).resolve(), str(file["split"])
        # The handler is foreign code: a path may lead anywhere.
        if not path.is_relative_to(folder.resolve()) or not path.is_file():
            raise WorkFailed(
                FailureClass.HANDLER_ERROR,
                f"as_tfrecord() returned {file['path']!r}, which is no file below the folder that it was given.",
            )
        numbered.append((path, split, counts[split]))
        counts[split] += 1
    return numbered
