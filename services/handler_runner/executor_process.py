"""Runs handler commands in child processes of this machine, kept warm from one command to the next."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import structlog

from handler_runner.child import Child
from handler_runner.environment import Environment
from handler_runner.executor import Command, CommandFailed, Listener, WorkerDied, WorkerStuck
from handler_runner.process_guard import ProcessGuard

log = structlog.get_logger()

Result = TypeVar("Result")

# Long enough to reach from the description to the build that follows, short enough to give memory back.
IDLE_S = 30.0
_START_ERRORS = (OSError, WorkerDied, WorkerStuck)


class ProcessExecutor:
    """See `Executor`. Made on the event loop; ``home`` holds the children's own folders."""

    def __init__(self, home: Path, workers: int, stuck_after_s: float, idle_s: float = IDLE_S) -> None:
        self._home = home
        self._workers = workers
        self._stuck_after_s = stuck_after_s
        self._idle_s = idle_s
        self._guard = ProcessGuard()
        self._numbers = itertools.count()
        self._homes: dict[Child, Path] = {}
        # Those that wait for a command, the one used last at the end; each with the moment it came to wait.
        self._idle: dict[Child, float] = {}
        self._starting: dict[asyncio.Task[Child], Environment] = {}
        self._background: set[asyncio.Task[Any]] = set()
        self._closed = False

    @property
    def capacity(self) -> int:
        """One command for each worker."""
        return self._workers

    async def run(self, environment: Environment, command: Command, listener: Listener) -> dict[str, Any]:
        """See `Executor.run`."""
        child = await self._take(environment)
        try:
            result = await child.run({**dict(environment.fields), **command}, listener, self._stuck_after_s)
        except CommandFailed:
            self._give_back(child)
            raise
        except BaseException:
            await asyncio.shield(self._end(child))
            raise
        self._give_back(child)
        return result

    def warm(self, environment: Environment, count: int) -> None:
        """See `Executor.warm`."""
        there = [*(child.environment for child in self._idle), *self._starting.values()].count(environment)
        for _ in range(min(count, self._workers) - there):
            task = self._spawn(self._start_loaded(environment))
            self._starting[task] = environment
            task.add_done_callback(self._started)

    async def close(self) -> None:
        """See `Executor.close`."""
        self._closed = True
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await asyncio.gather(*(self._end(child) for child in list(self._homes)))
        self._guard.close()

    async def _take(self, environment: Environment) -> Child:
        for child in reversed(self._idle):
            if child.environment == environment and child.alive:
                del self._idle[child]
                return child
        for task, starting in list(self._starting.items()):
            if starting == environment:
                # Being started in advance: sooner ready than another one. Whoever waits for it has it.
                del self._starting[task]
                try:
                    return await asyncio.shield(task)
                except asyncio.CancelledError:
                    self._starting[task] = environment
                    if task.done():
                        self._started(task)
                    raise
                except _START_ERRORS:
                    break
        return await self._start(environment)

    async def _start(self, environment: Environment) -> Child:
        home = self._home / f"child-{next(self._numbers)}"
        child = Child(environment, home, self._guard)
        self._homes[child] = home
        try:
            await child.ready()
        except BaseException:
            await asyncio.shield(self._end(child))
            raise
        return child

    async def _start_loaded(self, environment: Environment) -> Child:
        child = await self._start(environment)
        # Describing loads the handlers with all that they import, before the first command needs them.
        try:
            with contextlib.suppress(CommandFailed):
                await child.run({**dict(environment.fields), "type": "describe"}, Listener(), self._stuck_after_s)
        except BaseException:
            await asyncio.shield(self._end(child))
            raise
        return child

    def _started(self, task: asyncio.Task[Child]) -> None:
        if self._starting.pop(task, None) is None or task.cancelled():
            return
        if error := task.exception():
            # The command that needs a child will meet the same and report it.
            log.warning("child_not_started", problem=str(error))
        else:
            self._give_back(task.result())

    def _give_back(self, child: Child) -> None:
        if self._closed or not child.alive:
            self._spawn(self._end(child))
            return
        self._idle[child] = time.monotonic()
        idle = list(self._idle)
        # More than the workers may have been at work at a time, but they need not all wait.
        for other in idle[: max(0, len(idle) - self._workers)]:
            del self._idle[other]
            self._spawn(self._end(other, kindly=True))
        asyncio.get_running_loop().call_later(self._idle_s + 0.01, self._sweep)

    def _sweep(self) -> None:
        for child, since in list(self._idle.items()):
            if not child.alive or time.monotonic() - since >= self._idle_s:
                del self._idle[child]
                self._spawn(self._end(child, kindly=True))

    async def _end(self, child: Child, *, kindly: bool = False) -> None:
        await (child.close() if kindly else child.kill())
        home = self._homes.pop(child, None)
        if home:
            await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)

    def _spawn(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task
