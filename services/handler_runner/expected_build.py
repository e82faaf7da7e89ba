"""Starts the processes of a build that most likely follows, while the raw data that it needs is still being walked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from darkroom.handler.v1 import handler_pb2
from handler_runner.failure import WorkFailed
from handler_runner.workshop import Workshop
from service_kit.errors import DarkroomError

# A task that nobody holds may vanish in the middle.
_under_way: set[asyncio.Task[None]] = set()


def make_ready(workshop: Workshop, expected: handler_pb2.EnvironmentTask, raw_datasets: Sequence[str]) -> None:
    """Begin in the background. Nobody waits for it, and if no build comes the processes end by themselves."""
    task = asyncio.get_running_loop().create_task(_make_ready(workshop, expected, raw_datasets))
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)


async def _make_ready(workshop: Workshop, expected: handler_pb2.EnvironmentTask, raw_datasets: Sequence[str]) -> None:
    # What fails here fails for the build again, which says so.
    with suppress(WorkFailed, DarkroomError, OSError):
        environment = await asyncio.to_thread(
            workshop.environments.prepare, expected.repository, expected.commit, expected.lock
        )
        folders = [await asyncio.to_thread(workshop.raw_root.path, name) for name in raw_datasets]
        workshop.executor.warm(environment, workshop.executor.capacity, folders)
