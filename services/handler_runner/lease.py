"""Keeps one claimed piece of work alive: heartbeats with progress and log, and what the registry answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from darkroom.handler.v1 import handler_pb2
from handler_runner.progress import WorkProgress
from handler_runner.registry_link import RegistryLink
from handler_runner.work_log import WorkLog
from service_kit.errors import Aborted, DarkroomError, Unavailable

# Watchers should see a live bar, the registry should not drown: only what is rare is told at once.
_SHORTEST_PAUSE_S = 0.5
_FIRST_BEAT_S = 0.2
_RETRY_S = 1.0


class LeaseLost(Exception):
    """Another holds the work, or nobody wants it any more; ``stopped`` tells the two apart."""

    def __init__(self, message: str, *, stopped: bool) -> None:
        super().__init__(message)
        self.stopped = stopped


class Lease:
    """One work's lease. While the registry is away the work goes on: a fence protects what it would publish."""

    def __init__(self, link: RegistryLink, work: handler_pb2.Work, progress: WorkProgress, log: WorkLog) -> None:
        self._link, self._work, self._progress, self._log = link, work, progress, log
        self._lease_s = work.lease.ToTimedelta().total_seconds() or 30.0
        self._sending = asyncio.Lock()

    async def keep(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Send heartbeats for ever. Raises `LeaseLost` when the work must stop."""
        # The claim itself began the lease; most small works end sooner than this.
        await asyncio.sleep(_FIRST_BEAT_S)
        while True:
            began = clock()
            try:
                await self.beat()
            except Unavailable:
                await asyncio.sleep(_RETRY_S)
                continue
            pause_s = max(0.0, _SHORTEST_PAUSE_S - (clock() - began))
            await _set_within(self._progress.news, pause_s)
            if not self._log.unsent:
                await _set_within(self._progress.changed, self._lease_s / 3 - pause_s)

    async def beat(self) -> None:
        """Send one heartbeat. Raises `LeaseLost`, and `Unavailable` when the registry does not answer."""
        async with self._sending:
            self._progress.changed.clear()
            self._progress.news.clear()
            offset, text = self._log.next_piece()
            try:
                response = await self._link.heartbeat(
                    self._work, self._progress.to_proto(), text, offset, timeout_s=max(2.0, self._lease_s / 3)
                )
            except Unavailable:
                self._progress.changed.set()
                raise
            except Aborted as error:
                raise LeaseLost(error.message, stopped=False) from error
            except DarkroomError as error:
                raise LeaseLost(error.message, stopped=False) from error
            if text:
                self._log.sent()
        self._lease_s = response.lease.ToTimedelta().total_seconds() or self._lease_s
        if response.directive == handler_pb2.DIRECTIVE_STOP:
            raise LeaseLost("nobody waits for the work any more", stopped=True)

    async def flush(self) -> None:
        """Send what is left of the log and the last progress, as far as the registry answers now."""
        try:
            await self.beat()
            while self._log.unsent:
                await self.beat()
        except Unavailable:
            return


async def _set_within(event: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(max(0.0, timeout_s)):
            await event.wait()
    except TimeoutError:
        return
