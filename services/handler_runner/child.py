"""One child process that runs handler code: commands go in, events come out, everything else it prints is log."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from handler_runner.child_seat import Seat
from handler_runner.child_start import start_child
from handler_runner.executor import Command, CommandFailed, LimitExceeded, Listener, WorkerDied, WorkerStuck
from handler_runner.frame_buffer import BadFrame, FrameBuffer, frame
from handler_runner.memory_kills import memory_kills
from handler_runner.process_guard import ProcessGuard, kill_group
from handler_runner.process_signs import busy_s, how_it_ended, signal_inside
from handler_runner.sandbox import Sandbox
from handler_runner.sandbox_limits import LimitReached
from handler_runner.sandbox_signs import limit_behind
from handler_runner.work_log import LineDecoder

_HELLO_S = 120.0
_TAIL_CHARACTERS = 8_000
# Not a handler's code but its author may need so long to see that nothing comes: the look is cheap.
_TICK_S = 5.0
# More than a pipe holds; a process that prints without end must not be read without end.
_DRAINED_BYTES = 2 * 1024 * 1024


class Child:
    """One process. At most one command at a time; made and used on the event loop's thread."""

    def __init__(self, seat: Seat, home: Path, guard: ProcessGuard, sandbox: Sandbox) -> None:
        """Start the process; `ready` waits for its hello. Raises OSError when it cannot be started.

        ``home`` is its current folder, and the one where it may write if it is confined.
        """
        self.seat = seat
        self.home = home
        self._confined = seat.environment.confined
        self._sandbox = sandbox
        self._loop = asyncio.get_running_loop()
        self._guard = guard
        self._memory_kills = memory_kills()
        self._process = start_child(seat, home, sandbox)
        self.pid = self._process.pid
        guard.add(self.pid)
        self._listener = Listener()
        self._frames = FrameBuffer()
        self._lines = LineDecoder()
        self._tail = ""
        self._signs = 0
        self._log_bytes = 0
        self._reached: LimitReached | None = None
        self._command_id = 0
        self._answer: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self.exited: asyncio.Future[int] = self._loop.create_future()
        self._outputs = {
            self._descriptor(self._process.stdout): self._on_frames,
            self._descriptor(self._process.stderr): self._on_log,
        }
        for descriptor, feed in self._outputs.items():
            os.set_blocking(descriptor, False)
            self._loop.add_reader(descriptor, self._read, descriptor, feed)
        threading.Thread(target=self._watch, name=f"child-{self.pid}", daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether it can take a command."""
        return not self.exited.done()

    async def ready(self) -> None:
        """Wait for the hello. Raises `WorkerDied` or `WorkerStuck`."""
        await self._answered(_HELLO_S, busy_counts=False)

    async def run(self, command: Command, listener: Listener, stuck_after_s: float) -> dict[str, Any]:
        """Send a command and return its result. See `Executor.run`; a cancelled call leaves the child to be killed."""
        self._command_id += 1
        self._answer = self._loop.create_future()
        self._listener = listener
        self._log_bytes = 0
        limits = self._sandbox.limits
        try:
            async with asyncio.timeout(limits.command_s if self._confined else None) as time:
                await self._send({**command, "id": self._command_id})
                # A handler in the seed's style says nothing for hours, so there the processor speaks for it.
                return await self._answered(stuck_after_s, busy_counts=command["type"] == "records")
        except TimeoutError:
            if not time.expired():
                raise
            raise LimitExceeded(limits.time(), self._tail) from None
        except CommandFailed as error:
            if self._confined and (reached := limit_behind(error, limits, self.home)):
                raise LimitExceeded(reached, error.traceback) from error
            raise
        finally:
            # What was printed before the answer is in the pipe by now.
            self._drain()
            self._log(self._lines.flush())
            self._listener = Listener()

    async def kill(self) -> None:
        """Kill it with all that it started, and wait until it is gone."""
        kill_group(self.pid)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5.0):
                await asyncio.shield(self.exited)
        self._close()

    async def close(self) -> None:
        """End it kindly: it ends by itself when its input does."""
        if self._process.stdin:
            self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await asyncio.shield(self.exited)
        await self.kill()

    async def _answered(self, stuck_after_s: float, *, busy_counts: bool) -> dict[str, Any]:
        silent_s, signs, before_s = 0.0, self._signs, 0.0
        tick_s = min(_TICK_S, stuck_after_s / 4)
        while True:
            ends: set[asyncio.Future[Any]] = {self._answer, self.exited}
            done, _ = await asyncio.wait(ends, timeout=tick_s, return_when=asyncio.FIRST_COMPLETED)
            if done:
                self._drain()
                if self._answer.done():
                    return self._answer.result()
                raise self._death()
            # Ticks are counted, not time: a runner that was stopped for an hour has not seen its child idle.
            silent_s += tick_s
            if self._signs != signs:
                silent_s, signs = 0.0, self._signs
            elif busy_counts and (now_busy_s := busy_s(self.pid)) > before_s + tick_s / 20:
                silent_s, before_s = 0.0, now_busy_s
            if silent_s >= stuck_after_s:
                self._log(self._lines.flush())
                raise WorkerStuck(silent_s, self._tail)

    async def _send(self, command: dict[str, Any]) -> None:
        data = frame(command)
        if len(data) <= 32 * 1024:
            # The child waits with an empty pipe, so this cannot block.
            self._write(data)
        else:
            await asyncio.to_thread(self._write, data)

    def _write(self, data: bytes) -> None:
        # A child that has died shows in `exited`, with its reason.
        with contextlib.suppress(BrokenPipeError, ValueError):
            view = memoryview(data)
            while view and self._process.stdin:
                view = view[os.write(self._process.stdin.fileno(), view) :]

    def _read(self, descriptor: int, feed: Callable[[bytes], None]) -> None:
        try:
            data = os.read(descriptor, 65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            feed(data)
        else:
            self._loop.remove_reader(descriptor)
            self._outputs.pop(descriptor, None)

    def _drain(self) -> None:
        """Read what is in the pipes now."""
        for descriptor, feed in list(self._outputs.items()):
            left_bytes = _DRAINED_BYTES
            with contextlib.suppress(OSError):
                while left_bytes > 0 and (data := os.read(descriptor, 65536)):
                    left_bytes -= len(data)
                    feed(data)

    def _on_frames(self, data: bytes) -> None:
        try:
            for event in self._frames.feed(data):
                self._on_event(event)
        except (BadFrame, TypeError, ValueError, AttributeError) as error:
            # The last three: an event of the right form with nonsense in it.
            self._frames = FrameBuffer()
            said = f"the handler's process broke the protocol with the runner: {error}"
            self._log(f"{said}\n")
            if not self._answer.done():
                self._answer.set_exception(CommandFailed({"class": "HANDLER_ERROR", "message": said}))
            kill_group(self.pid)

    def _on_event(self, event: dict[str, Any]) -> None:
        self._signs += 1
        kind = event["type"]
        if self._answer.done() or event.get("id", 0) != self._command_id:
            # A forked copy of the child may answer a second time.
            return
        if kind == "progress":
            self._listener.progress(int(event.get("examples", 0)))
        elif kind == "hello":
            self._answer.set_result(event)
        elif kind == "done":
            self._answer.set_result(dict(event.get("result") or {}))
        elif kind == "error":
            self._answer.set_exception(CommandFailed(event))

    def _on_log(self, data: bytes) -> None:
        self._signs += 1
        self._log_bytes += len(data)
        if self._confined and self._log_bytes > self._sandbox.limits.log_bytes:
            if self._reached is None:
                self._reached = self._sandbox.limits.log()
                kill_group(self.pid)
            return
        self._log(self._lines.feed(data))

    def _log(self, text: str) -> None:
        if text:
            self._tail = (self._tail + text)[-_TAIL_CHARACTERS:]
            self._listener.log(text)

    def _death(self) -> WorkerDied | LimitExceeded:
        self._log(self._lines.flush())
        code = self.exited.result()
        if self._confined:
            if reached := self._reached or self._sandbox.reached(self._process):
                return LimitExceeded(reached, self._tail)
            code = signal_inside(code)
        killed = code == -signal.SIGKILL
        memory = killed and memory_kills() > self._memory_kills
        return WorkerDied(how_it_ended(code), self._tail, killed=killed, memory=memory)

    def _watch(self) -> None:
        code = self._process.wait()
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._on_exit, code)

    def _on_exit(self, code: int) -> None:
        # What a handler forked must not outlive it.
        kill_group(self.pid)
        self._guard.drop(self.pid)
        self._drain()
        if not self.exited.done():
            self.exited.set_result(code)

    def _close(self) -> None:
        self._drain()
        for descriptor in list(self._outputs):
            self._loop.remove_reader(descriptor)
        self._outputs.clear()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        # Nobody may be waiting any more for what it would have said.
        self._answer.cancel()

    @staticmethod
    def _descriptor(pipe: Any) -> int:
        return int(pipe.fileno())
