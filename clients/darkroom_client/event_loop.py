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

        async def watched() -> T:
            try:
                return await coroutine
            finally:
                ended.set()

        future = asyncio.run_coroutine_threadsafe(watched(), self._loop)
        try:
            return future.result()
        except BaseException:
            if future.cancel():
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
