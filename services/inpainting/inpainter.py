"""Fills photos for many callers: one at a time, watched, or in streams."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from inpainting.retouching import Retouching
from inpainting.task import Outcome, Preview, Stage, Step, Task, Tell
from inpainting.work_queue import Priority, Ticket, WorkQueue
from inpainting_models.painting import Cancel, Cancelled
from service_kit.errors import DarkroomError, DeadlineExceeded, InvalidArgument, ResourceExhausted, Unavailable

log = structlog.get_logger()

LOOK_EVERY_S = 0.25
# How soon a stream that found the queue full asks again.
ASK_AGAIN_S = 0.5


@dataclass(frozen=True)
class Finished:
    """One item of a stream that has ended: ``outcome`` or ``error``."""

    id: str
    outcome: Outcome | None = None
    error: DarkroomError | None = None


class Inpainter:
    """The service behind its RPCs; lives in one event loop, works in the queue's threads."""

    def __init__(self, retouching: Retouching, queue: WorkQueue, concurrency: int) -> None:
        self._retouching = retouching
        self._queue = queue
        # One more than there are threads, so that none is idle while a result is on its way out.
        self._window = concurrency + 1

    async def inpaint(
        self, task: Task, *, time_left_s: float | None = None, priority: Priority = Priority.PERSON
    ) -> Outcome:
        """Return a task's results. A caller that is cancelled stops the work.

        Raises `ResourceExhausted` with an estimate, and what `Retouching` does.
        """
        ticket = await self._submit(task, lambda step: None, False, time_left_s, priority)
        try:
            return await result_of(ticket)
        finally:
            ticket.leave()

    async def watch(
        self, task: Task, *, previews: bool, time_left_s: float | None = None
    ) -> AsyncIterator[Step | Preview | Outcome]:
        """Yield what is being done, newest only for a slow reader, and at last the results."""
        slot = _Slot()
        ticket = await self._submit(task, slot.tell, previews, time_left_s, Priority.PERSON)
        waiting = asyncio.ensure_future(result_of(ticket))
        waiting.add_done_callback(lambda _: slot.changed.set())
        try:
            seen = None
            while not waiting.done():
                if not ticket.started.is_set():
                    slot.put(Step(Stage.QUEUED, self._queue.position(ticket)))
                for event in slot.take():
                    if event != seen:
                        seen = event
                        yield event
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await slot.changed.wait()
            for event in slot.take():
                yield event
            yield await waiting
        finally:
            ticket.leave()
            waiting.cancel()

    async def fill_stream(self, items: AsyncIterator[tuple[str, Task]]) -> AsyncIterator[Finished]:
        """Yield each item's end as it comes; items are read no faster than they are filled.

        Raises `InvalidArgument` for an id that is empty or came before.
        """
        ids: set[str] = set()
        running: set[asyncio.Task[Finished]] = set()
        reading: asyncio.Task[tuple[str, Task]] | None = None
        more = True
        try:
            while more or running:
                if more and reading is None and len(running) < self._window:
                    reading = asyncio.create_task(_next(items))
                waited: set[asyncio.Task[Any]] = {*running, *([reading] if reading else [])}
                done, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                if reading in done and reading is not None:
                    try:
                        identity, task = reading.result()
                    except StopAsyncIteration_:
                        more = False
                    else:
                        if not identity or identity in ids:
                            problem = "came before in this stream" if identity else "must not be empty"
                            raise InvalidArgument.of([("id", f"{identity[:100]!r} {problem}")])
                        ids.add(identity)
                        running.add(asyncio.create_task(self.finish(identity, task, Priority.STREAM)))
                    reading = None
                for each in done & running:
                    running.discard(each)
                    yield each.result()
        finally:
            left = [*running, *([reading] if reading else [])]
            for each in left:
                each.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def finish(self, identity: str, task: Task, priority: Priority) -> Finished:
        """Fill one of many: waits while the queue is full, and brings an error as a value."""
        try:
            while True:
                try:
                    return Finished(identity, await self.inpaint(task, priority=priority))
                except ResourceExhausted as error:
                    if error.retry_after_s is None:
                        raise
                    await asyncio.sleep(min(ASK_AGAIN_S, error.retry_after_s))
        except DarkroomError as error:
            return Finished(identity, error=error)
        except Exception as error:
            error_id = uuid.uuid4().hex[:12]
            log.error("unexpected_error", error_id=error_id, exc_info=error)
            return Finished(
                identity,
                error=DarkroomError(
                    f"an internal error, id {error_id}; the service's log has its story", reason="INTERNAL"
                ),
            )

    async def _submit(
        self, task: Task, tell: Tell, previews: bool, time_left_s: float | None, priority: Priority
    ) -> Ticket:
        await asyncio.to_thread(self._retouching.check, task)

        def work(cancel: Cancel) -> Outcome:
            return self._retouching.run(task, tell, cancel, previews=previews)

        return self._queue.submit(work, size_bytes=task.size_bytes, time_left_s=time_left_s, priority=priority)


async def result_of(ticket: Ticket) -> Outcome:
    """Return what a ticket brings. Raises `DeadlineExceeded`, `Unavailable` when the service stopped it."""
    future = asyncio.wrap_future(ticket.future)
    # Whoever leaves does not look at what comes of it.
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        outcome: Outcome = await future
    except Cancelled as error:
        if ticket.expired():
            raise DeadlineExceeded("the call's deadline passed before the photo was done") from error
        raise Unavailable("the service stopped before the photo was done; try again") from error
    return outcome


class StopAsyncIteration_(Exception):
    """The stream of items is at its end: asyncio's own word for it cannot leave a task."""


async def _next(items: AsyncIterator[tuple[str, Task]]) -> tuple[str, Task]:
    try:
        return await anext(items)
    except StopAsyncIteration:
        raise StopAsyncIteration_ from None


class _Slot:
    """The newest step and preview on their way from a working thread to one watcher."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._step: Step | None = None
        self._preview: Preview | None = None

    def tell(self, event: Step | Preview) -> None:
        """Take news from any thread."""
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self.put, event)

    def put(self, event: Step | Preview) -> None:
        """Replace what was not taken yet."""
        if isinstance(event, Preview):
            self._preview = event
        else:
            self._step = event
        self.changed.set()

    def take(self) -> list[Step | Preview]:
        """Return what is new."""
        self.changed.clear()
        news = [event for event in (self._step, self._preview) if event is not None]
        self._step = self._preview = None
        return news
