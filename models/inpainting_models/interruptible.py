"""Leaves calls that cannot be stopped inside: the caller goes at once, the call ends unheard.

OpenCV and FFTs ask nobody while they work. They let other Python threads run, though, so they work in a thread of
their own while the caller's asks whether anybody still wants the result.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import BoundedSemaphore, Thread
from typing import TypeVar

from inpainting_models.painting import Cancel, Cancelled, stop_if

T = TypeVar("T")

ASK_EVERY_S = 0.02
MOST_LEFT = 4
"""How many left calls may still be at work: each holds a crop. With more, a caller waits for its own call's end."""

_may_leave = BoundedSemaphore(MOST_LEFT)


def interruptible(work: Callable[[], T], cancel: Cancel | None) -> T:
    """Returns what `work()` returns, or raises Cancelled as soon as `cancel` says True and `work` goes on unheard.

    `work` should change nothing that others see, ask `cancel` itself between its steps, and own what it reads. What it
    raises is raised. Without `cancel` it runs in the caller's thread.
    """
    stop_if(cancel)
    if cancel is None:
        return work()
    outcome: Future[T] = Future()
    # No daemon: a thread that wakes in C++ while the interpreter goes would bring the process down.
    Thread(target=_run, args=(work, outcome), name="interruptible").start()
    try:
        while not wait([outcome], ASK_EVERY_S).done:
            if cancel() and _may_leave.acquire(blocking=False):
                outcome.add_done_callback(lambda _: _may_leave.release())
                raise Cancelled
        return outcome.result()
    finally:
        # Its error leads back to this frame, and both would stay until garbage is collected.
        del outcome


def _run(work: Callable[[], T], outcome: Future[T]) -> None:
    try:
        outcome.set_result(work())
    except BaseException as error:  # whatever it is: the caller's thread raises it
        outcome.set_exception(error)
        # As above.
        del outcome
