"""Runs one command to its end: crashes are tried again, a full disk is waited out, the rest becomes a failure."""

from __future__ import annotations

import asyncio
import errno
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from handler_runner.executor import CommandFailed, Executor, LimitExceeded, WorkerDied, WorkerStuck
from handler_runner.failure import FailureClass, WorkFailed
from handler_runner.handler_command import HandlerCommand
from handler_runner.patience import FIRST_PAUSE_S, LONGEST_PAUSE_S, wait_for_space
from handler_runner.slots import Slots
from handler_runner.work_session import WorkSession

# A crash may come from the machine's state, twice the same one comes from the code.
_CRASHES = 2
_MEMORY_KILLS = 2
# Somebody or something killed the worker, and nothing says that memory was the reason.
_KILLS = 5
_NO_SPACE = tuple(f"[Errno {number}]" for number in (errno.ENOSPC, errno.EDQUOT))
_NO_WORKER_NOW = (errno.EAGAIN, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE)
_MORE_SPACE_BYTES = 64 * 1024
# Foreign code may say anything; the other classes are the runner's own to say.
_SAID_CLASSES = frozenset(
    {
        FailureClass.BAD_CONFIG,
        FailureClass.BAD_RAW_RECORD,
        FailureClass.ENVIRONMENT,
        FailureClass.HANDLER_ERROR,
        FailureClass.RAW_MISSING,
    }
)
# Foreign code that always says that it has to wait would hold a worker for ever.
_CONFINED_WAITS = 100


async def run_command(
    session: WorkSession,
    executor: Executor,
    command: HandlerCommand,
    fields: Mapping[str, Any],
    slots: Slots,
    *,
    shard: object = None,
    output: Path | None = None,
) -> dict[str, Any]:
    """Return the command's result. ``output`` is what it writes, removed before it is run again.

    Raises `WorkFailed` once trying again has no use.
    """
    most_waits = _CONFINED_WAITS if command.environment.confined else None
    tries = _Tries(session, slots, "the handler" if shard is None else f"shard {shard}", most_waits)
    while True:
        try:
            async with slots:
                return await executor.run(command.environment, fields, session.listener(shard))
        except CommandFailed as error:
            if error.error_class not in (FailureClass.TRANSIENT_IO, FailureClass.OUT_OF_MEMORY):
                raise _failed(error, command) from error
            session.progress.dropped(shard)
            await _remove(output)
            if error.error_class == FailureClass.OUT_OF_MEMORY:
                # It asked for more than there is and noticed in time: the same as being killed for it.
                tries.after(WorkerDied("MemoryError", error.traceback, killed=True, memory=True))
            else:
                await tries.wait_out(error, output)
        except OSError as error:
            if error.errno not in _NO_WORKER_NOW:
                raise
            await tries.wait_for(f"a worker for {tries.what} cannot be started: {error.strerror}")
        except WorkerDied as death:
            session.progress.dropped(shard)
            await _remove(output)
            tries.after(death)
        except LimitExceeded as error:
            await _remove(output)
            memory = error.reached.memory
            raise WorkFailed(
                FailureClass.OUT_OF_MEMORY if memory else FailureClass.LIMIT_EXCEEDED,
                f"{tries.what} was stopped in the sandbox: {error.reached}. Less would do, or a higher limit.",
                detail=error.log_tail,
                deterministic=True,
            ) from error
        except WorkerStuck as stuck:
            raise WorkFailed(
                FailureClass.STUCK,
                f"{tries.what} made no progress for {stuck.silent_s:.0f} s and was stopped; if it needs so long for "
                "one example, a larger DARKROOM_RUNNER_STUCK_AFTER_S would do.",
                detail=stuck.log_tail,
            ) from stuck


class _Tries:
    """Counts one command's bad ends, each kind for itself."""

    def __init__(self, session: WorkSession, slots: Slots, what: str, most_waits: int | None) -> None:
        self._session, self._slots, self.what = session, slots, what
        self._waits_left = most_waits
        self._crashes = self._memory_kills = self._kills = 0
        self._pause_s = FIRST_PAUSE_S

    def after(self, death: WorkerDied) -> None:
        """Note a dead worker. Raises `WorkFailed` when it was one too many."""
        if death.memory:
            self._memory_kills += 1
            self._slots.shrink()
            self._note("was killed for lack of memory; fewer run at a time from now on")
        elif death.killed:
            self._kills += 1
            self._note("was killed from outside")
        else:
            self._crashes += 1
            self._note(f"ended in the middle ({death.how})")
        if self._memory_kills >= _MEMORY_KILLS or self._kills >= _KILLS:
            raise WorkFailed(
                FailureClass.OUT_OF_MEMORY,
                f"a worker was killed at {self.what} {max(self._memory_kills, self._kills)} times, most likely for "
                "lack of memory; smaller images, or fewer workers (DARKROOM_RUNNER_WORKERS), would do.",
                detail=death.log_tail,
            ) from death
        if self._crashes >= _CRASHES:
            raise WorkFailed(
                FailureClass.HANDLER_ERROR,
                f"the handler's process ended in the middle of {self.what} with {death.how}, {_CRASHES} times.",
                detail=death.log_tail,
            ) from death

    async def wait_out(self, error: CommandFailed, output: Path | None) -> None:
        """Wait for what passes by itself: space, or a file server that is away. Raises `WorkFailed` after many."""
        if self._waits_left is not None:
            self._waits_left -= 1
            if self._waits_left < 0:
                raise WorkFailed(FailureClass.TRANSIENT_IO, error.message, detail=error.traceback) from error
        if output is not None and any(mark in error.message + error.traceback for mark in _NO_SPACE):
            # What was free did not do, so more must become free.
            free_bytes = shutil.disk_usage(output.parent).free
            self._session.log.note(f"{self.what}: no space is left on {output.parent}; waiting")
            await wait_for_space(self._session.progress, output.parent, free_bytes + _MORE_SPACE_BYTES)
            return
        await self.wait_for(error.message)

    async def wait_for(self, what: str) -> None:
        """Pause, each time longer, and say why."""
        with self._session.progress.waiting() as wait_for:
            wait_for(what)
            await asyncio.sleep(self._pause_s)
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)

    def _note(self, what: str) -> None:
        self._session.log.note(f"the worker of {self.what} {what}")


def _failed(error: CommandFailed, command: HandlerCommand) -> WorkFailed:
    known = error.error_class in _SAID_CLASSES
    return WorkFailed(
        FailureClass(error.error_class) if known else FailureClass.HANDLER_ERROR,
        command.without_folders(error.message),
        detail=error.traceback,
        violations=error.violations,
    )


async def _remove(output: Path | None) -> None:
    if output is not None:
        await asyncio.to_thread(_remove_now, output)


def _remove_now(output: Path) -> None:
    if output.is_dir():
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir(exist_ok=True)
    else:
        output.unlink(missing_ok=True)
