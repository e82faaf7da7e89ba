"""Runs handler commands in child processes of this machine, kept warm from one command to the next."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

import structlog

from handler_runner.child import Child
from handler_runner.child_seat import Seat
from handler_runner.command_result import check_result
from handler_runner.environment import Environment
from handler_runner.executor import Command, CommandFailed, LimitExceeded, Listener, WorkerDied, WorkerStuck
from handler_runner.process_guard import ProcessGuard
from handler_runner.remove_tree import remove_tree
from handler_runner.sandbox import Sandbox
from handler_runner.sandbox_none import NoSandbox, refused
from handler_runner.sandbox_outputs import ConfinedOutputs
from service_kit.tracing import span, traceparent

log = structlog.get_logger()

Result = TypeVar("Result")

# Long enough to reach from the description to the build that follows, short enough to give memory back.
IDLE_S = 30.0
_START_ERRORS = (OSError, CommandFailed, WorkerDied, WorkerStuck, LimitExceeded)


class ProcessExecutor:
    """See `Executor`. Made on the event loop; ``home`` holds the children's own folders."""

    def __init__(
        self,
        home: Path,
        workers: int,
        stuck_after_s: float,
        idle_s: float = IDLE_S,
        sandbox: Sandbox | None = None,
    ) -> None:
        self._home = home
        self._sandbox = sandbox or NoSandbox("none is set up")
        self._workers = workers
        self._stuck_after_s = stuck_after_s
        self._idle_s = idle_s
        self._guard = ProcessGuard()
        self._numbers = itertools.count()
        self._homes: dict[Child, Path] = {}
        # Those that wait for a command, the one used last at the end; each with the moment it came to wait.
        self._idle: dict[Child, float] = {}
        self._starting: dict[asyncio.Task[Child], Seat] = {}
        self._background: set[asyncio.Task[Any]] = set()
        self._closed = False

    @property
    def capacity(self) -> int:
        """One command for each worker."""
        return self._workers

    async def run(self, environment: Environment, command: Command, listener: Listener) -> dict[str, Any]:
        """See `Executor.run`."""
        child = await self._take(Seat.for_command(environment, command))
        try:
            with span(f"child {command['type']}", pid=child.pid):
                # A handler that traces by itself finds there what its spans belong below.
                told = {"traceparent": here} if (here := traceparent()) else {}
                result = await self._run(child, {**dict(environment.fields), **command, **told}, listener)
        except CommandFailed:
            if environment.confined:
                # It may have said so while it goes on with something else.
                await asyncio.shield(self._end(child))
            else:
                self._give_back(child)
            raise
        except BaseException:
            await asyncio.shield(self._end(child))
            raise
        if environment.confined and command["type"] == "records":
            # All that such a handler has written beside its files need not wait on the disk.
            await asyncio.shield(self._end(child))
        else:
            self._give_back(child)
        return result

    async def _run(self, child: Child, command: Command, listener: Listener) -> dict[str, Any]:
        if not child.seat.environment.confined:
            result = await child.run(command, listener, self._stuck_after_s)
            check_result(command["type"], result)
            return result
        outputs = ConfinedOutputs(command, child.home)
        result = await child.run(outputs.command, listener, self._stuck_after_s)
        check_result(command["type"], result)
        return await asyncio.to_thread(outputs.take, result)

    def warm(self, environment: Environment, count: int, raw: Iterable[Path] = ()) -> None:
        """See `Executor.warm`."""
        seat = Seat.of(environment, raw)
        if environment.confined and (not seat.raw or not self._sandbox.level.full):
            # No later command could use them.
            return
        there = [*(child.seat for child in self._idle), *self._starting.values()].count(seat)
        for _ in range(min(count, self._workers) - there):
            task = self._spawn(self._start_loaded(seat))
            self._starting[task] = seat
            task.add_done_callback(self._started)

    async def close(self) -> None:
        """See `Executor.close`."""
        self._closed = True
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await asyncio.gather(*(self._end(child) for child in list(self._homes)))
        self._guard.close()

    async def _take(self, seat: Seat) -> Child:
        for child in reversed(self._idle):
            if child.seat == seat and child.alive:
                del self._idle[child]
                return child
        for task, starting in list(self._starting.items()):
            if starting == seat:
                # Being started in advance: sooner ready than another one. Whoever waits for it has it.
                del self._starting[task]
                try:
                    return await asyncio.shield(task)
                except asyncio.CancelledError:
                    self._starting[task] = seat
                    if task.done():
                        self._started(task)
                    raise
                except _START_ERRORS:
                    break
        return await self._start(seat)

    async def _start(self, seat: Seat) -> Child:
        if seat.environment.confined and not self._sandbox.level.full:
            raise refused(self._sandbox.level)
        home = self._home / f"child-{next(self._numbers)}"
        child = Child(seat, home, self._guard, self._sandbox)
        self._homes[child] = home
        try:
            await child.ready()
        except BaseException:
            await asyncio.shield(self._end(child))
            raise
        return child

    async def _start_loaded(self, seat: Seat) -> Child:
        child = await self._start(seat)
        # Describing loads the handlers with all that they import, before the first command needs them.
        try:
            with contextlib.suppress(CommandFailed):
                await child.run({**dict(seat.environment.fields), "type": "describe"}, Listener(), self._stuck_after_s)
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
            await asyncio.to_thread(remove_tree, home)

    def _spawn(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task
