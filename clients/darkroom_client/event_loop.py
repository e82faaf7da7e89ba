"""The one background event loop on which synchronous programs do their calls."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator
from typing import Any, TypeVar

from darkroom_client.fork_check import check_process

T = TypeVar("T")
CANCEL_WAIT_S = 5.0


class EventLoopThread:
    """An event loop in a daemon thread; a notebook's own loop stays untouched."""

    def __init__(self) -> None:
        self.process_id = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="darkroom-client", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return the coroutine's result; an interrupt of the caller, Ctrl-C for one, cancels it."""
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("a blocking call inside the client's own event loop; use AsyncClient there")
        ended = threading.Event()
        begun: list[asyncio.Task[Any]] = []

        async def watched() -> T:
            if task := asyncio.current_task():
                begun.append(task)
            try:
                return await coroutine
            finally:
                ended.set()

        def cancel() -> None:
            for task in begun:
                task.cancel()

        try:
            return asyncio.run_coroutine_threadsafe(watched(), self._loop).result()
        except BaseException:
            # An interrupt may come before there is a future to cancel, while the call is at work already.
            if not ended.is_set():
                # One turn later, when it has begun in any case.
                self._loop.call_soon_threadsafe(self._loop.call_soon, cancel)
                # What it does to clean up, stopping a download for one, belongs to the call.
                ended.wait(CANCEL_WAIT_S)
            raise

    def iterate(self, items: AsyncGenerator[T, None]) -> Iterator[T]:
        """Yield what an asynchronous generator yields; leaving early closes it."""

        async def following() -> T:
            return await anext(items)

        try:
            while True:
                try:
                    item = self.run(following())
                except StopAsyncIteration:
                    return
                yield item
        finally:
            self.run(items.aclose())


_shared: EventLoopThread | None = None
_lock = threading.Lock()


def shared_loop() -> EventLoopThread:
    """Return this process's loop: several gRPC event loops in one process disturb one another."""
    global _shared
    check_process()
    with _lock:
        if _shared is None:
            _shared = EventLoopThread()
        return _shared
