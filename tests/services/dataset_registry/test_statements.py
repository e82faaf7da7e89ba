"""What is done all the time asks few questions of the catalogue: each is a round trip to a database elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.listing import Page

from .conftest import RUNNER, House


@contextmanager
def noted(catalog: SqlCatalog) -> Iterator[list[str]]:
    """Give the statements that run meanwhile, but for those that begin and end transactions."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            found.append(" ".join(statement.split())[:80])

    sa.event.listen(catalog._database.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(catalog._database.engine, "before_cursor_execute", note)


async def statements(house: House, call: Callable[[], Awaitable[object]]) -> list[str]:
    """Return what a call asks; nothing else may run, and what can be remembered is."""
    await call()
    with noted(house.catalog) as found:
        await call()
    return found


async def test_a_hit_a_page_and_a_claim_ask_few_questions(tmp_path) -> None:
    house = House(tmp_path)
    await house.described()
    await house.registry.request_dataset("street", "latest", "{}")
    await house.walked()
    await house.upkeep.once()
    await house.publish(await house.claim(RUNNER, "BUILD"))
    await house.upkeep.once()

    hit = await statements(house, lambda: house.registry.request_dataset("street", "latest", "{}"))
    assert len([each for each in hit if each.startswith(("INSERT", "UPDATE"))]) <= 2, hit
    assert len(hit) <= 16, hit
    empty = await statements(house, lambda: house.dispatch.claim(RUNNER, (), 0.0))
    assert len(empty) == 1, empty
    quiet = await statements(house, house.upkeep.once)
    assert len(quiet) <= 6, quiet
    house.catalog.close()


async def test_a_page_asks_the_same_however_many_stand_on_it(tmp_path) -> None:
    house = House(tmp_path)
    await house.described()
    for number in range(30):
        await house.registry.request_dataset("street", "latest", f'{{"gain": {number + 1}}}')
    await house.walked()
    await house.upkeep.once()
    one = await statements(house, lambda: house.browsing.requests(Page(1, None), "", True))
    many = await statements(house, lambda: house.browsing.requests(Page(30, None), "", True))
    assert len(many) == len(one), many
    house.catalog.close()
