"""What a catalogue promises, for every database that it may lie in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import alembic.autogenerate
import alembic.migration
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataset_registry.catalog import Transaction, Where
from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.records import Dataset, Definition, Request, Work
from dataset_registry.schema_sqlalchemy import metadata


@pytest.fixture(params=["sqlite"])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlCatalog]:
    catalog = SqlCatalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    catalog.migrate()
    yield catalog
    catalog.close()


def test_a_record_comes_back_as_it_went_in(catalog: SqlCatalog) -> None:
    record = Dataset(id="k", splits={"train": 3}, preimage='{"ü": 1}', pinned=True, create_time=1.5, failure={"a": [1]})
    stored = catalog.write(lambda tx: tx.put(record))
    found = catalog.read(lambda tx: tx.get(Dataset, "k"))
    assert found == stored
    assert replace(stored, revision=0, update_time=0.0) == record


def test_a_step_that_raises_writes_nothing(catalog: SqlCatalog) -> None:
    def step(tx: Transaction) -> None:
        tx.put(Definition(id="a"))
        raise KeyError

    with pytest.raises(KeyError):
        catalog.write(step)
    assert catalog.read(lambda tx: tx.count(Definition)) == 0


def test_concurrent_writers_lose_no_change(catalog: SqlCatalog) -> None:
    catalog.write(lambda tx: tx.put(Work(id="w", kind="BUILD", subject="s")))

    def add() -> None:
        for _ in range(20):
            catalog.write(lambda tx: tx.put(replace(tx.get(Work, "w"), attempt=tx.get(Work, "w").attempt + 1)))

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    work = catalog.read(lambda tx: tx.get(Work, "w"))
    assert work is not None
    assert (work.attempt, work.revision) == (160, 161)


def test_one_subject_has_one_unfinished_work(catalog: SqlCatalog) -> None:
    won = []

    def join(number: int) -> None:
        def step(tx: Transaction) -> str:
            found = tx.find(Work, Where("subject", "=", "s"), Where("state", "in", ("QUEUED", "RUNNING")))
            return (found[0] if found else tx.put(Work(id=f"w{number}", kind="BUILD", subject="s"))).id

        won.append(catalog.write(step))

    threads = [threading.Thread(target=join, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(won)) == 1
    assert len(won) == 16


def test_listeners_hear_what_was_put_and_only_after_the_commit(catalog: SqlCatalog) -> None:
    heard: list[set[str]] = []
    catalog.on_commit(lambda touched: heard.append(touched))
    catalog.write(lambda tx: tx.put(Definition(id="a")))
    catalog.write(lambda tx: tx.get(Definition, "a"))
    assert heard == [{"Definition/a"}]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(0, 10, allow_subnormal=False), min_size=1, max_size=12), st.integers(1, 5))
def test_pages_hold_each_row_once(catalog: SqlCatalog, times: list[float], size: int) -> None:
    def fill(tx: Transaction) -> None:
        tx.delete(Request)
        for number, time in enumerate(times):
            tx.put(Request(id=f"r{number:02}", create_time=time))

    catalog.write(fill)
    seen: list[Request] = []
    after = None
    while True:
        page = catalog.read(
            lambda tx, after=after: tx.find(Request, order=("-create_time", "-id"), after=after, limit=size)
        )
        if not page:
            break
        seen += page
        after = (page[-1].create_time, page[-1].id)
    assert [(each.create_time, each.id) for each in seen] == sorted(
        ((time, f"r{number:02}") for number, time in enumerate(times)), reverse=True
    )


def test_a_prefix_finds_what_begins_with_it_and_nothing_else(catalog: SqlCatalog) -> None:
    for identity in ("abc", "abd", "ab%", "b"):
        catalog.write(lambda tx, identity=identity: tx.put(Dataset(id=identity)))
    found = catalog.read(lambda tx: tx.find(Dataset, Where("id", "prefix", "ab")))
    assert [each.id for each in found] == ["ab%", "abc", "abd"]


def test_migrated_tables_are_the_tables_of_the_code(catalog: SqlCatalog) -> None:
    catalog.migrate()
    with catalog._engine.connect() as connection:
        context = alembic.migration.MigrationContext.configure(connection)
        assert alembic.autogenerate.compare_metadata(context, metadata) == []
