"""Builds sampled shards of a ready dataset again and compares their bytes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from darkroom.dataset.v1 import dataset_pb2
from darkroom.handler.v1 import handler_pb2
from handler_runner.build import handler_command, make_plan
from handler_runner.build_records import run_records
from handler_runner.build_shards import build_shard
from handler_runner.raw_check import check_raw
from handler_runner.shard_check import NotTFRecords, check_shard
from handler_runner.slots import Slots
from handler_runner.together import together
from handler_runner.work_session import WorkSession
from handler_runner.workshop import Workshop


async def verify(session: WorkSession, workshop: Workshop, task: handler_pb2.VerifyTask) -> handler_pb2.VerifyResult:
    """Return a sentence for each shard that comes out different. Raises `WorkFailed` when it cannot be built."""
    session.progress.enter(dataset_pb2.STAGE_PLANNING)
    command = await handler_command(session, workshop, task.build)
    _, plan = await together(check_raw(session, workshop, task.build.raw), make_plan(session, workshop, command))
    session.progress.plan(len(task.shards), sum(shard.record_count for shard in task.shards))
    session.progress.enter(dataset_pb2.STAGE_CHECKING)
    problems: list[str] = []

    async def compare(shard: handler_pb2.Shard, path: Path | None) -> None:
        if path is None:
            problems.append(f"{_name(shard)}: the handler makes no such shard any more")
        else:
            problems.extend(await asyncio.to_thread(_differences, shard, path))
        session.progress.committed(_name(shard), shard.record_count, shard.size_bytes)

    if plan["kind"] == "records":
        files, _ = await run_records(session, workshop.executor, command)
        paths = {f"{split}-{index:05}": path for path, split, index in files}
        for shard in task.shards:
            await compare(shard, paths.get(_name(shard)))
    else:
        tasks = {f"{planned['split']}-{planned['index']:05}": planned for planned in plan["shards"]}
        slots = Slots(workshop.executor.capacity)

        async def rebuild(shard: handler_pb2.Shard) -> None:
            path = session.scratch / f"{_name(shard)}.tfrecord"
            planned = tasks.get(_name(shard))
            if planned is not None:
                await build_shard(session, workshop.executor, command, planned, slots, path)
            await compare(shard, path if planned is not None else None)
            await asyncio.to_thread(path.unlink, missing_ok=True)

        await together(*map(rebuild, task.shards))
    return handler_pb2.VerifyResult(shards_rebuilt=len(task.shards), problems=sorted(problems))


def _differences(shard: handler_pb2.Shard, path: Path) -> list[str]:
    try:
        built = check_shard(path)
    except NotTFRecords as error:
        return [f"{_name(shard)}: built again it is no TFRecord file: {error}"]
    if built.sha256 == shard.sha256:
        return []
    return [
        f"{_name(shard)}: built again it has {built.record_count} records, {built.size_bytes} bytes and sha256 "
        f"{built.sha256[:12]}, in the archive {shard.record_count}, {shard.size_bytes} and {shard.sha256[:12]}"
    ]


def _name(shard: handler_pb2.Shard) -> str:
    return f"{shard.split}-{shard.index:05}"
