"""Builds a dataset: walks the raw data, plans, builds and stages shards, walks again, joins them to the archive."""

from __future__ import annotations

from typing import Any

from darkroom.dataset.v1 import dataset_pb2
from darkroom.handler.v1 import handler_pb2
from handler_runner.assemble import assemble
from handler_runner.build_records import RecordsBuild
from handler_runner.build_shards import BuiltShard, ShardBuild
from handler_runner.environment_prepared import prepared
from handler_runner.failure import FailureClass, WorkFailed
from handler_runner.handler_command import HandlerCommand
from handler_runner.raw_check import check_raw, find_raw
from handler_runner.run_command import run_command
from handler_runner.slots import Slots
from handler_runner.staging import StagedShard, Staging, staged_of
from handler_runner.together import together
from handler_runner.work_session import WorkSession
from handler_runner.workshop import Workshop
from service_kit.crash_points import reach

# What a handler makes of raw files that vanish under it.
_PERHAPS_RAW = (FailureClass.HANDLER_ERROR, FailureClass.BAD_RAW_RECORD, FailureClass.RAW_MISSING)


async def build(session: WorkSession, workshop: Workshop, task: handler_pb2.BuildTask) -> handler_pb2.BuildResult:
    """Return where the archive is; publishing it is the caller's last call. Raises `WorkFailed`."""
    try:
        return await _build(session, workshop, task)
    except WorkFailed as failed:
        if failed.failure_class in _PERHAPS_RAW:
            # The reason behind the reason, if there is one.
            await check_raw(session, workshop, task.raw)
        raise


async def _build(session: WorkSession, workshop: Workshop, task: handler_pb2.BuildTask) -> handler_pb2.BuildResult:
    progress = session.progress
    progress.enter(dataset_pb2.STAGE_PLANNING)
    command = await handler_command(session, workshop, task)
    workshop.executor.warm(command.environment, workshop.executor.capacity, command.raw.values())
    # A walk, a listing and a plan need nothing of one another.
    _, rows, plan = await together(
        check_raw(session, workshop, task.raw),
        _committed(session),
        make_plan(session, workshop, command),
    )
    staging = Staging(session, workshop.store, task.key)
    progress.plan(len(plan["shards"]), int(plan.get("example_count", 0)))
    progress.enter(dataset_pb2.STAGE_BUILDING)
    built: list[BuiltShard]
    if plan["kind"] == "records":
        built = await RecordsBuild(session, workshop.executor, staging, command).run(rows)
    else:
        built = await ShardBuild(session, workshop.executor, staging, command, plan).run(rows)
    reach("shards_complete")
    progress.enter(dataset_pb2.STAGE_ASSEMBLING)
    # The archive may be joined during the second walk: only FinishWork publishes it.
    result, _ = await together(
        assemble(staging, task, built, session.cancelled), check_raw(session, workshop, task.raw)
    )
    assert isinstance(result, handler_pb2.BuildResult)
    return result


async def handler_command(session: WorkSession, workshop: Workshop, task: handler_pb2.BuildTask) -> HandlerCommand:
    """Prepare a task's environment and find its raw data. Raises `WorkFailed`."""
    environment = await prepared(session, workshop, task.environment)
    return HandlerCommand.of(task, environment, await find_raw(session, workshop, task.raw))


async def make_plan(session: WorkSession, workshop: Workshop, command: HandlerCommand) -> dict[str, Any]:
    """Return the plan, its warnings logged. Raises `WorkFailed`."""
    plan = await run_command(session, workshop.executor, command, command.fields("plan"), Slots(1))
    for warning in plan.get("warnings") or ():
        session.log.note(f"warning: {warning}")
    return plan


async def _committed(session: WorkSession) -> dict[str, StagedShard]:
    staged = map(staged_of, await session.list_shards())
    return {shard.entry.name.removesuffix(".tfrecord"): shard for shard in staged}
