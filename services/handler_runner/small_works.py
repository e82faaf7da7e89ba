"""The pieces of work that take seconds: describing an environment, walking a raw dataset, drawing a contact sheet."""

from __future__ import annotations

import json

from darkroom.dataset.v1 import dataset_pb2
from darkroom.handler.v1 import handler_pb2
from handler_runner.build import handler_command
from handler_runner.environment_prepared import prepared
from handler_runner.expected_build import make_ready
from handler_runner.failure import FailureClass, WorkFailed
from handler_runner.handler_command import HandlerCommand
from handler_runner.run_command import run_command
from handler_runner.slots import Slots
from handler_runner.work_session import WorkSession
from handler_runner.workshop import Workshop

# A message may have 16 MiB; the registry passes the picture on in one.
_PNG_BYTES = 12 * 1024 * 1024
_PNG_BEGINS = b"\x89PNG\r\n\x1a\n"


async def describe(
    session: WorkSession, workshop: Workshop, task: handler_pb2.EnvironmentTask
) -> handler_pb2.EnvironmentResult:
    """Prepare an environment and ask a child in it what its handlers are. Raises `WorkFailed`."""
    session.progress.enter(dataset_pb2.STAGE_ENVIRONMENT)
    environment = await prepared(session, workshop, task)
    command = HandlerCommand(environment, "", {}, {}, "")
    try:
        description = await run_command(session, workshop.executor, command, {"type": "describe"}, Slots(1))
    except WorkFailed as failed:
        if failed.failure_class is not FailureClass.HANDLER_ERROR:
            raise
        # The repository's code cannot be imported, or declares nothing usable.
        raise WorkFailed(
            FailureClass.ENVIRONMENT,
            f"the handlers of {task.repository!r} cannot be described: {failed.message}",
            detail=failed.detail,
        ) from failed
    # Whoever described handlers will soon build: the other workers start meanwhile.
    workshop.executor.warm(environment, workshop.executor.capacity)
    description |= {"lock": environment.lock, "lock_digest": environment.lock_digest}
    return handler_pb2.EnvironmentResult(description_json=json.dumps(description, sort_keys=True))


async def scan(session: WorkSession, workshop: Workshop, task: handler_pb2.SnapshotTask) -> handler_pb2.SnapshotResult:
    """Walk a raw dataset. Raises `WorkFailed` (RAW_MISSING)."""
    session.progress.enter(dataset_pb2.STAGE_SNAPSHOT)
    if task.HasField("expected"):
        make_ready(workshop, task.expected, task.expected_raw)
    root = await session.in_thread(workshop.raw_root.path, task.raw_dataset)
    listing = await session.in_thread(workshop.snapshots.take, root, session.files_progress, session.cancelled)
    return handler_pb2.SnapshotResult(
        digest=listing.digest, file_count=len(listing.files), size_bytes=listing.size_bytes
    )


async def preview(session: WorkSession, workshop: Workshop, task: handler_pb2.PreviewTask) -> handler_pb2.PreviewResult:
    """Draw a contact sheet of a few samples; nothing is built or kept. Raises `WorkFailed`."""
    session.progress.enter(dataset_pb2.STAGE_PLANNING)
    command = await handler_command(session, workshop, task.build)
    session.progress.enter(dataset_pb2.STAGE_BUILDING)
    output = session.scratch / "sheet.png"
    fields = command.fields("preview", sample_count=task.sample_count or 16, output=str(output))
    await run_command(session, workshop.executor, command, fields, Slots(1), output=output)
    # Looked at before it is read: foreign code may have written anything, of any size.
    size_bytes = (await session.in_thread(output.stat)).st_size
    if size_bytes > _PNG_BYTES:
        raise WorkFailed(
            FailureClass.BAD_CONFIG,
            f"the contact sheet has {size_bytes / 1e6:.0f} MB, too much for one message; fewer samples or smaller "
            "images would do.",
            violations=[("sample_count", f"{task.sample_count} samples make too large a sheet; fewer would do")],
        )
    png = await session.in_thread(output.read_bytes)
    if not png.startswith(_PNG_BEGINS):
        raise WorkFailed(FailureClass.HANDLER_ERROR, "the contact sheet is no PNG file.")
    return handler_pb2.PreviewResult(png=png)
