"""Shows every watcher the newest state: one read serves all who watch the same thing, and a slow one skips."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog

from dataset_registry import records
from dataset_registry.catalog import Catalog, Transaction
from dataset_registry.metrics import WATCHERS
from dataset_registry.records import Record
from service_kit.errors import DarkroomError

V = TypeVar("V")
log = structlog.get_logger()

# What other replicas wrote is noticed this late at most.
POLL_S = 0.25
# What changes with time alone (a runner not seen any more) is looked at this often.
REFRESH_S = 5.0
# A burst of changes is shown as one.
QUIET_S = 0.02


@dataclass(frozen=True)
class View(Generic[V]):
    """What a watcher sees, and the revisions of the rows (``Kind/id``) that it was made from."""

    value: V
    rows: Mapping[str, int]
    final: bool


class Board:
    """Feeds of views, refreshed when a row that they were made from changes."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._feeds: dict[str, _Feed[Any]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._touched_events: set[asyncio.Event] = set()
        catalog.on_commit(self._on_commit)

    async def run(self) -> None:
        """Poll for what other replicas wrote, for ever."""
        self._loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(POLL_S)
            try:
                await self._poll()
            except DarkroomError as error:
                log.warning("catalogue_poll_failed", message=error.message)

    async def watch(self, topic: str, load: Callable[[Transaction], View[V]]) -> AsyncIterator[View[V]]:
        """Yield the present view, then each newer one, the final one last. ``load`` may raise `NotFound`."""
        feed = self._feeds.get(topic)
        if feed is None:
            feed = self._feeds[topic] = _Feed(self._catalog, load)
        feed.watchers += 1
        WATCHERS.inc()
        try:
            await feed.refresh()
            seen = 0
            while True:
                if feed.number > seen and feed.view is not None:
                    seen = feed.number
                    yield feed.view
                    if feed.view.final:
                        return
                    continue
                await feed.changed.wait()
        finally:
            feed.watchers -= 1
            WATCHERS.dec()
            if feed.watchers == 0:
                self._feeds.pop(topic, None)

    def commits(self) -> asyncio.Event:
        """Return an event that is set at every commit of this process; the caller clears it, and forgets it at last."""
        event = asyncio.Event()
        self._touched_events.add(event)
        return event

    def forget(self, event: asyncio.Event) -> None:
        """Give an event of `commits` back."""
        self._touched_events.discard(event)

    def _on_commit(self, touched: set[str]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closing
                self._loop.call_soon_threadsafe(self._wake, touched)

    def _wake(self, touched: set[str]) -> None:
        for event in self._touched_events:
            event.set()
        for feed in self._feeds.values():
            if feed.view is not None and not touched.isdisjoint(feed.view.rows):
                feed.refresh_soon()

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        feeds = [feed for feed in self._feeds.values() if feed.view is not None and not feed.view.final]
        rows = set().union(*(feed.view.rows for feed in feeds if feed.view)) if feeds else set()
        current = await asyncio.to_thread(self._revisions, rows) if rows else {}
        for feed in feeds:
            if feed.view is None:
                continue
            old = loop.time() - feed.refreshed > REFRESH_S
            if old or any(current.get(row, 0) != revision for row, revision in feed.view.rows.items()):
                feed.refresh_soon()

    def _revisions(self, rows: set[str]) -> dict[str, int]:
        by_kind: dict[str, list[str]] = {}
        for row in rows:
            kind, _, identity = row.partition("/")
            by_kind.setdefault(kind, []).append(identity)

        def step(tx: Transaction) -> dict[str, int]:
            return {
                f"{kind}/{identity}": revision
                for kind, identities in by_kind.items()
                for identity, revision in tx.revisions(_kind(kind), identities).items()
            }

        return self._catalog.read(step)


class _Feed(Generic[V]):
    """One thing that is watched."""

    def __init__(self, catalog: Catalog, load: Callable[[Transaction], View[V]]) -> None:
        self._catalog = catalog
        self._load = load
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self.view: View[V] | None = None
        self.number = 0
        self.refreshed = 0.0
        self.watchers = 0
        self.changed = asyncio.Event()

    async def refresh(self) -> None:
        """Load now, unless another just did for the first time."""
        async with self._lock:
            if self.view is None:
                await self._reload()

    def refresh_soon(self) -> None:
        """Load in the background; calls while one is under way cause one more."""
        self._again = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._refresh_while_asked())

    async def _refresh_while_asked(self) -> None:
        while self._again:
            self._again = False
            try:
                async with self._lock:
                    await self._reload()
            except DarkroomError as error:
                log.warning("refresh_failed", message=error.message)
            await asyncio.sleep(QUIET_S)

    async def _reload(self) -> None:
        view = await asyncio.to_thread(self._catalog.read, self._load)
        self.refreshed = asyncio.get_running_loop().time()
        if self.view is None or view.value != self.view.value:
            self.number += 1
            # Wake all who wait on the old event; those who come later wait on the new one.
            waiting, self.changed = self.changed, asyncio.Event()
            self.view = view
            waiting.set()
        else:
            self.view = view


async def within(event: asyncio.Event, timeout_s: float) -> None:
    """Wait for an event, but not longer."""
    # Not `wait_for`: before Python 3.12 it may swallow a cancellation.
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()


def _kind(name: str) -> type[Record]:
    kind: type[Record] = getattr(records, name)
    return kind
