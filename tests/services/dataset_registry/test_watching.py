"""What watchers may rely on: the newest state, the final one always, one read and one message for all, no leftovers."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataset_registry.catalog import Transaction, Where
from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.records import Work
from dataset_registry.states import WorkState
from dataset_registry.views import no_work
from dataset_registry.watch_feed import Feed, View
from dataset_registry.watch_turns import Turns
from dataset_registry.watching import Board, GoingDown
from service_kit.errors import NotFound

PATIENCE_S = 60.0


class Loader:
    """Loads works as the registry does, and keeps whose views were asked for together."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.made = 0
        self.bad = ""

    def __call__(self, tx: Transaction, identities: Collection[str]) -> dict[str, View[Work]]:
        self.asked.append(sorted(identities))
        if self.bad in identities:
            raise ValueError("a bad row")
        found = tx.find(Work, Where("id", "in", list(identities)))
        return {each.id: View(each, {f"Work/{each.id}": each.revision}, not each.unfinished) for each in found}

    def message(self, work: Work) -> str:
        self.made += 1
        return f"{work.id} {work.progress.get('shards_done')}"


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[Board]:
    catalog = SqlCatalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    catalog.migrate()
    board = Board(catalog)
    running = asyncio.create_task(board.run())
    await asyncio.sleep(0)
    yield board
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    catalog.close()


async def put(board: Board, identity: str, done: int, state: WorkState = WorkState.RUNNING) -> None:
    def step(tx: Transaction) -> None:
        work = tx.get(Work, identity) or Work(id=identity, kind="BUILD", subject=identity, create_time=tx.now())
        tx.put(replace(work, state=state, progress={"shards_done": done}))

    await asyncio.to_thread(board._catalog.write, step)


def watch(board: Board, load: Loader, identity: str) -> AsyncIterator[View[Work]]:
    return board.watch(load, identity, no_work(identity))


async def until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


async def follow(board: Board, load: Loader, identity: str, seen: list[str]) -> None:
    async for view in watch(board, load, identity):
        seen.append(view.once(load.message))


async def test_a_crowd_that_watches_one_thing_costs_one_read_and_one_message_a_change(board: Board) -> None:
    load = Loader()
    await put(board, "one", 0)
    seen: list[list[str]] = [[] for _ in range(300)]
    watchers = [asyncio.create_task(follow(board, load, "one", each)) for each in seen]
    await until(lambda: all(seen))
    assert (load.asked, load.made) == ([["one"]], 1)
    await put(board, "one", 1)
    await until(lambda: all(each[-1] == "one 1" for each in seen))
    await put(board, "one", 2, WorkState.DONE)
    await asyncio.wait_for(asyncio.gather(*watchers), PATIENCE_S)
    assert seen == [["one 0", "one 1", "one 2"]] * 300
    assert load.made == 3
    assert len(load.asked) <= 5


async def test_different_things_that_change_together_are_read_together(board: Board) -> None:
    load = Loader()
    names = [f"work-{number:03}" for number in range(200)]
    for name in names:
        await put(board, name, 0)
    seen: dict[str, list[str]] = {name: [] for name in names}
    watchers = [asyncio.create_task(follow(board, load, name, seen[name])) for name in names]
    await until(lambda: all(seen.values()))
    assert len(load.asked) <= 10

    def step(tx: Transaction) -> None:
        for work in tx.find(Work):
            tx.put(replace(work, state=WorkState.DONE, progress={"shards_done": 1}))

    load.asked.clear()
    await asyncio.to_thread(board._catalog.write, step)
    await asyncio.wait_for(asyncio.gather(*watchers), PATIENCE_S)
    assert all(each == [f"{name} 0", f"{name} 1"] for name, each in seen.items())
    assert len(load.asked) <= 10


async def test_a_slow_watcher_skips_to_the_newest_and_never_misses_the_last(board: Board) -> None:
    load = Loader()
    await put(board, "one", 0)
    quick: list[str] = []
    watcher = asyncio.create_task(follow(board, load, "one", quick))
    async with aclosing(watch(board, load, "one")) as slow:  # type: ignore[type-var]
        assert (await anext(slow)).once(load.message) == "one 0"
        for number in range(1, 4):
            await put(board, "one", number)
            await until(lambda number=number: quick and quick[-1] == f"one {number}")
        assert (await anext(slow)).once(load.message) == "one 3"
        await put(board, "one", 4)
        await put(board, "one", 5, WorkState.DONE)
        await asyncio.wait_for(watcher, PATIENCE_S)
        rest = [view.once(load.message) async for view in slow]
    assert rest[-1] == "one 5"
    assert len(rest) <= 2


async def test_what_another_process_wrote_is_seen(board: Board, tmp_path: Path) -> None:
    load = Loader()
    await put(board, "one", 0)
    seen: list[str] = []
    watcher = asyncio.create_task(follow(board, load, "one", seen))
    await until(lambda: seen)
    other = SqlCatalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    await put(Board(other), "one", 1, WorkState.DONE)
    await asyncio.wait_for(watcher, PATIENCE_S)
    assert seen == ["one 0", "one 1"]
    other.close()


async def test_what_is_wrong_with_one_harms_only_those_who_watch_it(board: Board) -> None:
    load = Loader()
    load.bad = "bad"
    for name in ("bad", "good", "better"):
        await put(board, name, 0)
    seen: dict[str, list[str]] = {"bad": [], "good": [], "better": []}
    watchers = {name: asyncio.create_task(follow(board, load, name, seen[name])) for name in seen}
    with pytest.raises(ValueError, match="a bad row"):
        await asyncio.wait_for(watchers["bad"], PATIENCE_S)
    await until(lambda: seen["good"] and seen["better"])
    for name in ("good", "better"):
        await put(board, name, 1, WorkState.DONE)
        await asyncio.wait_for(watchers[name], PATIENCE_S)


async def test_what_is_not_there_is_said_to_be_missing_and_may_come(board: Board) -> None:
    load = Loader()
    with pytest.raises(NotFound, match="no work/one"):
        await anext(watch(board, load, "one"))
    await put(board, "one", 7)
    assert (await anext(watch(board, load, "one"))).once(load.message) == "one 7"


async def test_a_thousand_watchers_that_leave_leave_nothing_behind(board: Board) -> None:
    load = Loader()
    for number in range(10):
        await put(board, f"work-{number}", 0)
    seen: list[list[str]] = [[] for _ in range(1000)]
    watchers = [
        asyncio.create_task(follow(board, load, f"work-{number % 10}", each)) for number, each in enumerate(seen)
    ]
    await until(lambda: all(seen))
    # Half of them leave in the middle of the news.
    await put(board, "work-0", 1)
    for watcher in watchers:
        watcher.cancel()
    await asyncio.gather(*watchers, return_exceptions=True)
    await until(lambda: not board._telling)
    assert (board._feeds, board._by_row, board._due) == ({}, {}, {})


@pytest.mark.parametrize("staying", [0, 1])
async def test_who_leaves_while_nothing_happens_leaves_no_memory_behind(board: Board, staying: int) -> None:
    load = Loader()
    await put(board, "one", 0)
    stays: list[list[str]] = [[] for _ in range(staying)]
    patient = [asyncio.create_task(follow(board, load, "one", each)) for each in stays]
    await until(lambda: all(stays))
    before = futures()
    seen: list[list[str]] = [[] for _ in range(300)]
    watchers = [asyncio.create_task(follow(board, load, "one", each)) for each in seen]
    await until(lambda: all(seen))
    assert futures() >= before + 300
    for watcher in watchers:
        watcher.cancel()
    await asyncio.gather(*watchers, return_exceptions=True)
    del watchers, watcher
    await until(lambda: futures() < before + 30)
    for each in patient:
        each.cancel()
    await asyncio.gather(*patient, return_exceptions=True)


def futures() -> int:
    gc.collect()
    return sum(isinstance(each, asyncio.Future) for each in gc.get_objects())


async def test_only_so_many_of_a_crowd_are_being_told_at_a_time() -> None:
    feed: Feed[int] = Feed(None, "one")
    crowd = [asyncio.create_task(feed.news()) for _ in range(5)]
    await asyncio.sleep(0)
    telling = asyncio.create_task(feed.tell(Turns(at_a_time=2, slow_s=1000.0)))
    for told in range(2, 6):
        await until(lambda told=told: sum(each.done() for each in crowd) == told)
        await asyncio.sleep(0.01)
        assert sum(each.done() for each in crowd) == told
        crowd[told - 2].result().end()
    await telling


async def test_a_watcher_that_does_not_take_its_message_keeps_nobody_waiting() -> None:
    feed: Feed[int] = Feed(None, "one")
    crowd = [asyncio.create_task(feed.news()) for _ in range(20)]
    await asyncio.sleep(0)
    await asyncio.wait_for(feed.tell(Turns(at_a_time=2, slow_s=0.001)), PATIENCE_S)
    await asyncio.wait_for(asyncio.gather(*crowd), PATIENCE_S)


async def test_who_left_before_its_turn_keeps_nobody_waiting() -> None:
    feed: Feed[int] = Feed(None, "one")
    crowd = [asyncio.create_task(feed.news()) for _ in range(5)]
    await asyncio.sleep(0)
    for each in crowd[:4]:
        each.cancel()
    await asyncio.sleep(0)
    await feed.tell(Turns(at_a_time=1, slow_s=1000.0))
    await asyncio.wait_for(crowd[4], PATIENCE_S)


async def test_who_watches_is_sent_away_when_the_registry_ends(board: Board) -> None:
    load = Loader()
    await put(board, "one", 0)
    seen: list[list[str]] = [[] for _ in range(50)]
    watchers = [asyncio.create_task(follow(board, load, "one", each)) for each in seen]
    await until(lambda: all(seen))
    board.close()
    ends = await asyncio.wait_for(asyncio.gather(*watchers, return_exceptions=True), PATIENCE_S)
    assert {type(each) for each in ends} == {GoingDown}
    with pytest.raises(GoingDown):
        await anext(watch(board, load, "one"))
