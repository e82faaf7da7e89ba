"""One thing that is watched: its newest view, and who waits for the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from dataset_registry.watch_turns import Turn, Turns

V = TypeVar("V")
M = TypeVar("M")


@dataclass(frozen=True)
class View(Generic[V]):
    """What a watcher sees, and the revisions of the rows (``Kind/id``) that it was made from."""

    value: V
    rows: Mapping[str, int]
    final: bool
    _made: dict[Callable[[V], Any], Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, make: Callable[[V], M]) -> M:
        """Return what ``make`` makes of the value; it is made once for all who watch."""
        if make not in self._made:
            self._made[make] = make(self.value)
        made: M = self._made[make]
        return made


class Feed(Generic[V]):
    """One thing that is watched; it belongs to an event loop."""

    def __init__(self, load: Callable[..., Any], identity: str) -> None:
        self.load = load
        self.identity = identity
        self.view: View[V] | None = None
        self.number = 0
        """Grows with each view that differs from the last one."""
        self.error: Exception | None = None
        """Why there will be no other view."""
        self.loaded_s = 0.0
        self.watchers = 0
        self._waiting: dict[asyncio.Future[Turn], None] = {}

    @property
    def rows(self) -> Mapping[str, int]:
        """The rows that the view was made from, and their revisions."""
        return self.view.rows if self.view is not None else {}

    def show(self, view: View[V], now_s: float) -> bool:
        """Take the newest view; returns whether there is something to tell."""
        self.loaded_s = now_s
        changed = self.view is None or view.value != self.view.value
        self.number += changed
        self.view = view
        return changed

    async def news(self) -> Turn:
        """Wait until somebody tells; returns the turn to be told, to be ended then."""
        future: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        self._waiting[future] = None
        try:
            return await future
        finally:
            # Who leaves while it waits leaves nothing behind.
            self._waiting.pop(future, None)

    async def tell(self, turns: Turns) -> None:
        """Wake all who wait now, each in its turn."""
        waiting, self._waiting = self._waiting, {}
        for future in waiting:
            turn = await turns.take()
            # Who left while it waited is done.
            if future.done():
                turn.end()
            else:
                future.set_result(turn)
