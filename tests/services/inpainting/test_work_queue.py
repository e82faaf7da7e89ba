"""The queue: bounded, honest about waiting, quick to drop what nobody wants."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator

import pytest

from inpainting.work_queue import Priority, Ticket, WorkQueue
from inpainting_models.painting import Cancel, Cancelled
from service_kit.errors import ResourceExhausted


@pytest.fixture
def make_queue() -> Iterator[Callable[..., WorkQueue]]:
    queues = []

    def make(threads: int = 1, max_waiting: int = 10, max_waiting_bytes: int = 1 << 30) -> WorkQueue:
        queues.append(WorkQueue(threads, max_waiting, max_waiting_bytes))
        return queues[-1]

    yield make
    for queue in queues:
        queue.stop(5)


class Gate:
    """Work that holds a thread until it is opened."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self.began = threading.Event()

    def __call__(self, cancel: Cancel) -> str:
        self.began.set()
        while not self._open.wait(0.005):
            if cancel():
                raise Cancelled
        return "through"

    def open(self) -> None:
        self._open.set()


def hold(queue: WorkQueue) -> tuple[Gate, Ticket]:
    gate = Gate()
    ticket = queue.submit(gate)
    assert gate.began.wait(60)
    return gate, ticket


def test_work_runs_in_its_turn_and_brings_its_result(make_queue: Callable[..., WorkQueue]) -> None:
    queue = make_queue()
    gate, first = hold(queue)
    done: list[int] = []
    rest = [queue.submit(lambda cancel, n=n: done.append(n)) for n in range(3)]  # type: ignore[misc]
    assert [queue.position(each) for each in (first, *rest)] == [0, 0, 1, 2]
    gate.open()
    assert first.future.result(60) == "through"
    rest[-1].future.result(60)
    assert done == [0, 1, 2]
    assert queue.counts.done == 4


def test_people_come_before_streams_and_streams_before_jobs(make_queue: Callable[..., WorkQueue]) -> None:
    queue = make_queue()
    gate, _ = hold(queue)
    done: list[str] = []
    tickets = [
        queue.submit(lambda cancel, p=p: done.append(p.name), priority=p)  # type: ignore[misc]
        for p in (Priority.JOB, Priority.STREAM, Priority.PERSON)
    ]
    gate.open()
    for ticket in tickets:
        ticket.future.result(60)
    assert done == ["PERSON", "STREAM", "JOB"]


def slept_s(seconds: float) -> float:
    """Sleep, and return for how long it was: a busy machine wakes late."""
    begin_s = time.monotonic()
    time.sleep(seconds)
    return time.monotonic() - begin_s


def test_a_full_queue_turns_away_with_an_estimate(make_queue: Callable[..., WorkQueue]) -> None:
    queue = make_queue(max_waiting=2)
    took_s = queue.submit(lambda cancel: slept_s(0.5)).future.result(60)
    hold(queue)
    for _ in range(2):
        queue.submit(Gate())
    with pytest.raises(ResourceExhausted, match="2 photos wait already") as caught:
        queue.submit(Gate())
    # Two wait and one runs, of 0.5 s each; half of that until there is room.
    assert caught.value.retry_after_s == pytest.approx(took_s * 2.5 / 2, rel=0.1)
    assert queue.counts.rejected == 1


def test_bytes_are_bounded_too_but_one_photo_always_fits(make_queue: Callable[..., WorkQueue]) -> None:
    queue = make_queue(max_waiting_bytes=1000)
    hold(queue)
    queue.submit(Gate(), size_bytes=5000)
    with pytest.raises(ResourceExhausted, match="bytes"):
        queue.submit(Gate(), size_bytes=1)


def test_who_would_wait_beyond_the_deadline_is_told_at_once(make_queue: Callable[..., WorkQueue]) -> None:
    queue = make_queue()
    took_s = queue.submit(lambda cancel: slept_s(0.4)).future.result(60)
    hold(queue)
    queue.submit(Gate())
    with pytest.raises(ResourceExhausted, match="after the call's deadline") as caught:
        queue.submit(Gate(), time_left_s=0.1)
    assert caught.value.retry_after_s == pytest.approx(took_s * 1.5, rel=0.1)


def test_work_whose_caller_left_or_whose_time_is_up_never_begins(make_queue: Callable[..., WorkQueue]) -> None:
    queue = make_queue()
    gate, _ = hold(queue)
    begun: list[str] = []
    left = queue.submit(lambda cancel: begun.append("left"))
    late = queue.submit(lambda cancel: begun.append("late"), time_left_s=0.05)
    left.leave()
    time.sleep(0.1)
    gate.open()
    for ticket in (left, late):
        with pytest.raises(Cancelled):
            ticket.future.result(60)
    assert begun == []
    assert (queue.counts.cancelled, queue.counts.expired) == (1, 1)


def test_running_work_hears_that_its_caller_left(make_queue: Callable[..., WorkQueue]) -> None:
    queue = make_queue()
    _, ticket = hold(queue)
    begin_s = time.monotonic()
    ticket.leave()
    with pytest.raises(Cancelled):
        ticket.future.result(60)
    assert time.monotonic() - begin_s < 5


def test_an_error_reaches_the_caller_and_the_thread_goes_on(make_queue: Callable[..., WorkQueue]) -> None:
    queue = make_queue()

    def fail(cancel: Cancel) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        queue.submit(fail).future.result(60)
    assert queue.submit(lambda cancel: 7).future.result(60) == 7
    assert queue.counts.failed == 1


def test_work_that_ends_by_an_error_lets_go_of_its_photo_at_once(make_queue: Callable[..., WorkQueue]) -> None:
    # Each of a thousand cancelled photos kept its 50 MB until garbage was collected, which an idle service does not do.
    held = []

    def fail(cancel: Cancel) -> None:
        photo = Gate()
        held.append(weakref.ref(photo))
        raise Cancelled

    ticket = make_queue().submit(fail)
    with pytest.raises(Cancelled):
        ticket.future.result(60)
    assert held[0]() is None


def test_stopping_ends_what_runs_and_what_waits(make_queue: Callable[..., WorkQueue]) -> None:
    queue = make_queue()
    _, running = hold(queue)
    waiting = queue.submit(Gate())
    queue.stop(5)
    for ticket in (running, waiting):
        with pytest.raises(Cancelled):
            ticket.future.result(0)
    with pytest.raises(ResourceExhausted):
        queue.submit(Gate())
