"""Gives photos their turn: a bounded queue, a fixed number of threads, and an honest word about how long it takes."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import structlog

from inpainting_models.painting import Cancel, Cancelled
from service_kit.errors import ResourceExhausted

log = structlog.get_logger()

# How much one more photo changes what the next is expected to take.
LEARNING_RATE = 0.2
MIN_RETRY_S, MAX_RETRY_S = 0.2, 60.0


class Priority(IntEnum):
    """Who comes first: people who wait, then streams, then jobs in the night."""

    PERSON = 0
    STREAM = 1
    JOB = 2


@dataclass
class Counts:
    """What became of the work so far."""

    done: int = 0
    failed: int = 0
    rejected: int = 0
    cancelled: int = 0
    expired: int = 0
    waited_s: float = 0.0
    worked_s: float = 0.0


@dataclass
class Ticket:
    """One piece of work that was let in; ``future`` brings its result, its error, or `Cancelled`."""

    work: Callable[[Cancel], Any]
    size_bytes: int
    deadline_s: float | None
    priority: Priority
    number: int
    begin_s: float
    future: Future[Any] = field(default_factory=Future)
    started: threading.Event = field(default_factory=threading.Event)
    _left: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        # From here on nobody can cancel the future itself: whoever leaves says so by `leave`.
        self.future.set_running_or_notify_cancel()

    def leave(self) -> None:
        """Say that nobody waits any more: work that has not begun never does, work that has stops soon."""
        self._left.set()

    def unwanted(self) -> bool:
        """Say whether the work may stop: its caller left, or does not wait so long."""
        return self._left.is_set() or self.expired()

    def expired(self) -> bool:
        """Say whether the deadline has passed."""
        return self.deadline_s is not None and time.monotonic() > self.deadline_s

    def __lt__(self, other: Ticket) -> bool:
        return (self.priority, self.number) < (other.priority, other.number)


class WorkQueue:
    """Runs work in its own threads; any thread may submit."""

    def __init__(self, threads: int, max_waiting: int, max_waiting_bytes: int) -> None:
        self.counts = Counts()
        self._max_waiting = max_waiting
        self._max_waiting_bytes = max_waiting_bytes
        self._changed = threading.Condition()
        self._heap: list[Ticket] = []
        self._waiting_bytes = 0
        self._running: set[int] = set()
        self._numbers = itertools.count()
        self._usual_s: float | None = None
        self._stopping = False
        self._threads = [threading.Thread(target=self._serve, name=f"paint-{i}", daemon=True) for i in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(
        self,
        work: Callable[[Cancel], Any],
        *,
        size_bytes: int = 0,
        time_left_s: float | None = None,
        priority: Priority = Priority.PERSON,
    ) -> Ticket:
        """Queue the work, which is given a function that says when to stop.

        Raises `ResourceExhausted` with an estimate when the queue is full, or when the turn would come too late.
        """
        with self._changed:
            self._drop_unwanted()
            wait_s = self._wait_s()
            full = len(self._heap) >= self._max_waiting
            heavy = bool(self._heap) and self._waiting_bytes + size_bytes > self._max_waiting_bytes
            late = time_left_s is not None and wait_s > time_left_s
            if full or heavy or late or self._stopping:
                self.counts.rejected += 1
                raise self._refusal(full or self._stopping, heavy, wait_s)
            now_s = time.monotonic()
            deadline_s = None if time_left_s is None else now_s + time_left_s
            ticket = Ticket(work, size_bytes, deadline_s, priority, next(self._numbers), now_s)
            heapq.heappush(self._heap, ticket)
            self._waiting_bytes += size_bytes
            self._changed.notify()
            return ticket

    def position(self, ticket: Ticket) -> int:
        """Return how many stand before the ticket; 0 once it is its turn."""
        with self._changed:
            return 0 if ticket.started.is_set() else sum(other < ticket for other in self._heap)

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        with self._changed:
            return len(self._heap)

    @property
    def running(self) -> int:
        """How many are being worked on."""
        with self._changed:
            return len(self._running)

    def stop(self, wait_s: float) -> None:
        """Take nothing more, tell all work to stop, and wait so long for it."""
        with self._changed:
            self._stopping = True
            for ticket in self._heap:
                ticket.leave()
            self._drop_unwanted()
            self._changed.notify_all()
        deadline_s = time.monotonic() + wait_s
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))

    def _refusal(self, full: bool, heavy: bool, wait_s: float) -> ResourceExhausted:
        if full or heavy:
            what = f"{len(self._heap)} photos wait already" + (f", {self._waiting_bytes:,} bytes of them" * heavy)
            retry_s = wait_s / 2
        else:
            what = f"the turn would come in {wait_s:.0f} s, after the call's deadline"
            retry_s = wait_s
        error = ResourceExhausted(f"{what}; try again later")
        error.retry_after_s = min(MAX_RETRY_S, max(MIN_RETRY_S, retry_s))
        return error

    def _wait_s(self) -> float:
        # Those who run are half done on average; with a thread free nobody waits.
        ahead = len(self._heap) + len(self._running) / 2 if len(self._running) >= len(self._threads) else 0.0
        return (self._usual_s or 0.0) * ahead / len(self._threads)

    def _drop_unwanted(self) -> None:
        for ticket in [each for each in self._heap if each.unwanted()]:
            self._heap.remove(ticket)
            self._waiting_bytes -= ticket.size_bytes
            self._drop(ticket)
        heapq.heapify(self._heap)

    def _drop(self, ticket: Ticket) -> None:
        if ticket.expired():
            self.counts.expired += 1
        else:
            self.counts.cancelled += 1
        ticket.future.set_exception(Cancelled("nobody waits for it any more"))

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._drop_unwanted()
                while not self._heap and not self._stopping:
                    self._changed.wait()
                    self._drop_unwanted()
                if not self._heap:
                    return
                ticket = heapq.heappop(self._heap)
                self._waiting_bytes -= ticket.size_bytes
                self._running.add(ticket.number)
                self.counts.waited_s += time.monotonic() - ticket.begin_s
            try:
                self._work(ticket)
            finally:
                with self._changed:
                    self._running.discard(ticket.number)
                # Or its photo would stay until the next one comes.
                del ticket

    def _work(self, ticket: Ticket) -> None:
        ticket.started.set()
        begin_s = time.monotonic()
        result, failure = None, None
        try:
            result = ticket.work(lambda: self._stopping or ticket.unwanted())
        except BaseException as error:
            # An error and its frames hold one another, and these the photo: it would stay until garbage is collected.
            traceback.clear_frames(error.__traceback__)
            failure = error
        elapsed_s = time.monotonic() - begin_s
        with self._changed:
            self.counts.worked_s += elapsed_s
            match failure:
                case None:
                    self.counts.done += 1
                    usual_s = elapsed_s if self._usual_s is None else self._usual_s
                    self._usual_s = usual_s + LEARNING_RATE * (elapsed_s - usual_s)
                case Cancelled() if ticket.expired():
                    self.counts.expired += 1
                case Cancelled():
                    self.counts.cancelled += 1
                case _:
                    self.counts.failed += 1
        if failure is None:
            ticket.future.set_result(result)
        else:
            ticket.future.set_exception(failure)
            del failure
