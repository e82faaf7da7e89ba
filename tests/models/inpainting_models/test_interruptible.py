import contextlib
import threading
import time
import weakref

import pytest

from inpainting_models.interruptible import MOST_LEFT, interruptible
from inpainting_models.painting import Cancelled


def test_what_the_work_returns_or_raises_reaches_the_caller():
    assert interruptible(lambda: 7, lambda: False) == 7
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 // 0, lambda: False)


def test_without_a_way_to_cancel_no_thread_is_started():
    assert interruptible(threading.current_thread, None) is threading.current_thread()


def test_nothing_begins_that_nobody_wants():
    begun = []
    with pytest.raises(Cancelled):
        interruptible(lambda: begun.append(1), lambda: True)
    assert not begun


def test_who_cancels_leaves_at_once_while_the_work_ends_unheard():
    may_end, ended, cancelled = threading.Event(), threading.Event(), threading.Event()

    def work():
        cancelled.set()
        may_end.wait(60)
        ended.set()

    begin = time.monotonic()
    with pytest.raises(Cancelled):
        interruptible(work, cancelled.is_set)
    assert time.monotonic() - begin < 30
    assert not ended.is_set()
    may_end.set()
    assert ended.wait(60)


def test_only_a_few_left_calls_are_at_work_at_once():
    # Or clients that cancel and ask again would fill the memory with crops that nobody waits for.
    may_end = threading.Event()
    left, waited = [], []

    def work():
        may_end.wait(60)

    def ask_and_cancel():
        asked = iter((False,))
        try:
            interruptible(work, lambda: next(asked, True))
            waited.append(1)
        except Cancelled:
            left.append(1)

    callers = [threading.Thread(target=ask_and_cancel) for _ in range(MOST_LEFT + 2)]
    for caller in callers:
        caller.start()
    until = time.monotonic() + 60
    while len(left) < MOST_LEFT and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.1)
    assert len(left) == MOST_LEFT
    may_end.set()
    for caller in callers:
        caller.join(60)
    assert len(left) + len(waited) == MOST_LEFT + 2
    assert waited


def test_work_that_raises_leaves_nothing_that_only_garbage_collection_would_find():
    held = []

    def fail():
        photo = threading.Event()
        held.append(weakref.ref(photo))
        raise ValueError("broken")

    with contextlib.suppress(ValueError):
        interruptible(fail, lambda: False)
    for thread in threading.enumerate():
        if thread.name == "interruptible":
            thread.join(60)
    assert held[0]() is None
