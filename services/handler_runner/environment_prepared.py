"""Prepares the environment of a piece of work, and waits a while for a git server or package index that is away."""

from __future__ import annotations

import asyncio
import time

from darkroom.handler.v1 import handler_pb2
from handler_runner.environment import Environment
from handler_runner.failure import FailureClass, WorkFailed
from handler_runner.patience import FIRST_PAUSE_S
from handler_runner.work_session import WorkSession
from handler_runner.workshop import Workshop
from service_kit.errors import Unavailable

# Then the work goes back to the registry, which gives it out again: others must not wait behind it.
_PATIENCE_S = 120.0
_LONGEST_PAUSE_S = 10.0


async def prepared(session: WorkSession, workshop: Workshop, task: handler_pb2.EnvironmentTask) -> Environment:
    """Return the environment. Raises `WorkFailed`."""
    pause_s, deadline = FIRST_PAUSE_S, 0.0
    with session.progress.waiting() as wait_for:
        while True:
            try:
                return await session.patiently(workshop.environments.prepare, task.repository, task.commit, task.lock)
            except Unavailable as error:
                deadline = deadline or time.monotonic() + _PATIENCE_S
                if time.monotonic() > deadline:
                    raise WorkFailed(FailureClass.TRANSIENT_IO, error.message) from error
                wait_for(error.message)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
