"""Tells a crowd one after another: only so many are being told at a time, so that a call between them waits for few."""

from __future__ import annotations

import asyncio

# As many as keep gRPC busy; a call that comes between them waits for so many messages, a tenth of a millisecond each.
AT_A_TIME = 16
# A watcher that has not taken its message by then is slow, and keeps nobody waiting.
SLOW_S = 0.05


class Turn:
    """What a watcher holds while it is being told."""

    def __init__(self, free: asyncio.Semaphore, slow_s: float) -> None:
        self._free = free
        self._timer = asyncio.get_running_loop().call_later(slow_s, self.end)
        self._ended = False

    def end(self) -> None:
        """Let the next one have it; ending twice is ending once."""
        if not self._ended:
            self._ended = True
            self._timer.cancel()
            self._free.release()


class Turns:
    """The turns of all who watch; they belong to an event loop."""

    def __init__(self, at_a_time: int = AT_A_TIME, slow_s: float = SLOW_S) -> None:
        self._free = asyncio.Semaphore(at_a_time)
        self._slow_s = slow_s

    async def take(self) -> Turn:
        """Wait for a turn."""
        await self._free.acquire()
        return Turn(self._free, self._slow_s)
