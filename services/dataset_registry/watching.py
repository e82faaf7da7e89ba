"""Shows every watcher the newest state: all that changed is read at once, and a slow watcher skips."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import structlog

from dataset_registry import records
from dataset_registry.catalog import Catalog, Transaction
from dataset_registry.metrics import WATCHERS
from dataset_registry.records import Record
from dataset_registry.watch_feed import Feed, View
from dataset_registry.watch_turns import Turn, Turns
from service_kit.errors import DarkroomError, Unavailable

V = TypeVar("V")
Load = Callable[[Transaction, Collection[str]], Mapping[str, View[V]]]
log = structlog.get_logger()

# What other replicas wrote is noticed this late at most.
POLL_S = 0.25
# What changes with time alone (a runner not seen any more) is looked at this often.
REFRESH_S = 5.0
# A burst of changes is shown as one.
QUIET_S = 0.02
# Views that one read makes: the others' first ones must not wait long.
LOADED_AT_ONCE = 500


class GoingDown(Unavailable):
    """This process ends: another registry, or its next life, has the answer."""

    reason = "GOING_DOWN"
    retry_after_s = 0.1


class Board:
    """Feeds of views, loaded again when a row that they were made from changes."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._feeds: dict[tuple[Load[Any], str], Feed[Any]] = {}
        self._by_row: dict[str, set[Feed[Any]]] = {}
        self._due: dict[Feed[Any], None] = {}
        self._asked = asyncio.Event()
        self._opened = asyncio.Event()
        self._telling: set[asyncio.Task[None]] = set()
        self._turns = Turns()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._commit_events: set[asyncio.Event] = set()
        self.closed = False
        catalog.on_commit(self._on_commit)

    async def run(self) -> None:
        """Load what changed, here or by other replicas, for ever."""
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as rounds:
            rounds.create_task(self._load_for_ever())
            rounds.create_task(self._poll_for_ever())

    async def watch(self, load: Load[V], identity: str, missing: DarkroomError) -> AsyncIterator[View[V]]:
        """Yield the present view, then each newer one, the final one last; raises ``missing`` when there is none.

        ``load`` returns the views of those identities that are there; it is called for many at once.
        """
        if self.closed:
            raise GoingDown("this registry is going down; ask again")
        feed = self._feeds.get((load, identity))
        if feed is None:
            feed = self._feeds[load, identity] = Feed(load, identity)
            self._ask([feed])
            self._opened.set()
        feed.watchers += 1
        WATCHERS.inc()
        seen = 0
        turn: Turn | None = None
        try:
            while True:
                if feed.number > seen:
                    seen, view = feed.number, feed.view
                    assert view is not None
                    yield view
                    if view.final:
                        return
                    if turn is not None:
                        turn.end()
                elif feed.error is not None:
                    raise missing if isinstance(feed.error, KeyError) else feed.error.with_traceback(None)
                else:
                    turn = await feed.news()
        finally:
            if turn is not None:
                turn.end()
            feed.watchers -= 1
            WATCHERS.dec()
            if feed.watchers == 0:
                self._drop(feed)

    def close(self) -> None:
        """Send every watcher away, to come again elsewhere: this process ends."""
        self.closed = True
        for feed in list(self._feeds.values()):
            self._fail(feed, GoingDown("this registry is going down; ask again"))
        for event in self._commit_events:
            event.set()

    def commits(self) -> asyncio.Event:
        """Return an event that is set at every commit of this process; the caller clears it, and forgets it at last."""
        event = asyncio.Event()
        self._commit_events.add(event)
        return event

    def forget(self, event: asyncio.Event) -> None:
        """Give an event of `commits` back."""
        self._commit_events.discard(event)

    def _on_commit(self, touched: set[str]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closing
                self._loop.call_soon_threadsafe(self._wake, touched)

    def _wake(self, touched: set[str]) -> None:
        for event in self._commit_events:
            event.set()
        for row in touched:
            self._ask(self._by_row.get(row, ()))

    def _ask(self, feeds: Collection[Feed[Any]]) -> None:
        self._due.update(dict.fromkeys(feeds))
        if feeds:
            self._asked.set()

    async def _load_for_ever(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            self._opened.clear()
            await self._load_due()
            # Whoever has just come waits for nothing.
            await within(self._opened, QUIET_S)

    async def _load_due(self) -> None:
        due, self._due = self._due, {}
        for feeds in _batches(due):
            await self._load(feeds)

    async def _load(self, feeds: Sequence[Feed[Any]]) -> None:
        load, identities = feeds[0].load, [feed.identity for feed in feeds]
        try:
            views = await self._catalog.read_soon(lambda tx: load(tx, identities))
        except DarkroomError as error:
            log.warning("refresh_failed", message=error.message)
            for feed in feeds:
                # Who has seen something waits: the next poll notices what it missed.
                if feed.view is None:
                    self._fail(feed, error)
        except Exception as error:
            if len(feeds) > 1:
                # What is wrong with one harms only those who watch it.
                for feed in feeds:
                    await self._load([feed])
            else:
                self._fail(feeds[0], error)
        else:
            for feed in feeds:
                if feed.identity in views:
                    self._show(feed, views[feed.identity])
                else:
                    self._fail(feed, KeyError(feed.identity))

    def _show(self, feed: Feed[Any], view: View[Any]) -> None:
        if view.final or not feed.watchers:
            # Nothing more comes of it: whoever comes next begins anew.
            self._drop(feed)
        elif feed.rows.keys() != view.rows.keys():
            self._unlist(feed)
            for row in view.rows:
                self._by_row.setdefault(row, set()).add(feed)
        if feed.show(view, asyncio.get_running_loop().time()):
            self._tell(feed)

    def _fail(self, feed: Feed[Any], error: Exception) -> None:
        self._drop(feed)
        feed.error = error
        self._tell(feed)

    def _tell(self, feed: Feed[Any]) -> None:
        task = asyncio.create_task(feed.tell(self._turns))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def _drop(self, feed: Feed[Any]) -> None:
        if self._feeds.get((feed.load, feed.identity)) is feed:
            del self._feeds[feed.load, feed.identity]
        self._due.pop(feed, None)
        self._unlist(feed)

    def _unlist(self, feed: Feed[Any]) -> None:
        for row in feed.rows:
            feeds = self._by_row.get(row, set())
            feeds.discard(feed)
            if not feeds:
                self._by_row.pop(row, None)

    async def _poll_for_ever(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            try:
                await self._poll()
            except DarkroomError as error:
                log.warning("catalogue_poll_failed", message=error.message)

    async def _poll(self) -> None:
        seen = {row: feeds for row, feeds in self._by_row.items() if feeds}
        current = await asyncio.to_thread(self._revisions, seen.keys()) if seen else {}
        aged_s = asyncio.get_running_loop().time() - REFRESH_S
        for row, feeds in seen.items():
            revision = current.get(row, 0)
            self._ask([feed for feed in feeds if feed.loaded_s < aged_s or feed.rows.get(row, revision) != revision])

    def _revisions(self, rows: Collection[str]) -> dict[str, int]:
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


async def within(event: asyncio.Event, timeout_s: float) -> None:
    """Wait for an event, but not longer."""
    # Not `wait_for`: before Python 3.12 it may swallow a cancellation.
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()


def _batches(feeds: Collection[Feed[Any]]) -> list[Sequence[Feed[Any]]]:
    """Return feeds of one kind together, those that nobody has seen yet first."""
    by_load: dict[tuple[bool, Load[Any]], list[Feed[Any]]] = {}
    for feed in feeds:
        by_load.setdefault((feed.view is not None, feed.load), []).append(feed)
    return [
        found[start : start + LOADED_AT_ONCE]
        for _, found in sorted(by_load.items(), key=lambda each: each[0][0])
        for start in range(0, len(found), LOADED_AT_ONCE)
    ]


def _kind(name: str) -> type[Record]:
    kind: type[Record] = getattr(records, name)
    return kind
