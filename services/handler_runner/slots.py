"""Bounds how many commands run at a time, with a bound that shrinks when memory does not suffice."""

from __future__ import annotations

import asyncio
from collections import deque


class Slots:
    """Use as ``async with slots``; first come, first served."""

    def __init__(self, limit: int) -> None:
        self.limit = max(1, limit)
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def shrink(self) -> None:
        """Halve the bound, down to one; those that run go on."""
        self.limit = max(1, self.limit // 2)

    async def __aenter__(self) -> None:
        while self._taken >= self.limit:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._waiting = deque(other for other in self._waiting if other is not turn)
                self._wake()
                raise
        self._taken += 1

    async def __aexit__(self, *_: object) -> None:
        self._taken -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self._taken < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
