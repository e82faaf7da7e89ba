"""What is asked all the time is answered by an index in every database, however many rows there are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from dataset_registry import upkeep, views
from dataset_registry.catalog import Transaction, Where
from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.collector import named_objects
from dataset_registry.listing import NEWEST_FIRST, Page, find_page
from dataset_registry.records import Dataset, Request, Work
from dataset_registry.usage import UsageBy

from .catalog_fill import BEGIN, DAY_S, Size, fill, key_of, request_of

LARGE = ("datasets", "requests", "shards", "work")
MIDDLE = [BEGIN + 500 * DAY_S, "0"]
# An index read from its begin to its end is a whole table, too, but for one that holds nothing but what is asked for.
SMALL = "requests_active|requests_waiting|work_running"
WHOLE = re.compile(rf"Seq Scan on|\bSCAN ({'|'.join(LARGE)})\b(?! USING (COVERING )?INDEX ({SMALL}))")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlCatalog]:
    """A catalogue with thousands of rows."""
    server = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    url = server.new_database() if server else f"sqlite:///{tmp_path_factory.mktemp('filled') / 'catalog.sqlite'}"
    catalog = SqlCatalog(url)
    catalog.migrate()
    fill(catalog, Size(datasets=3000, requests=6000, shards=6000, queued=60))
    yield catalog
    catalog.close()
    if server:
        server.drop_database(url)


HOT: dict[str, Callable[[Transaction], Any]] = {
    "claim": lambda tx: tx.queued(1000),
    "a request's view": lambda tx: views.load_request(tx, request_of(1)),
    "a dataset's view": lambda tx: views.load_dataset(tx, key_of(1)),
    "a key by its first digits": lambda tx: tx.find(Dataset, Where("id", "prefix", key_of(1)[:8]), limit=2),
    "a watcher's poll": lambda tx: tx.revisions(Request, [request_of(each) for each in range(50)]),
    "requests, newest first": lambda tx: find_page(tx, Request, Page(100, MIDDLE), order=NEWEST_FIRST),
    "requests of a name": lambda tx: find_page(
        tx, Request, Page(100, MIDDLE), Where("dataset_name", "=", "name-1"), order=NEWEST_FIRST
    ),
    "active requests": lambda tx: find_page(
        tx, Request, Page(100, None), Where("state", "in", upkeep._ACTIVE), order=NEWEST_FIRST
    ),
    "datasets, newest first": lambda tx: find_page(tx, Dataset, Page(100, MIDDLE), order=NEWEST_FIRST),
    "failed datasets": lambda tx: find_page(
        tx, Dataset, Page(100, None), Where("state", "=", "FAILED"), order=NEWEST_FIRST
    ),
    "the views of a page": lambda tx: views.request_views(
        tx, tx.find(Request, order=NEWEST_FIRST, after=MIDDLE, limit=100)
    ),
    "who waits for a build": lambda tx: tx.count(
        Request, Where("key", "=", key_of(0)), Where("state", "=", "BUILDING")
    ),
    "the rounds of upkeep": lambda tx: (
        tx.unsettled(),
        tx.unwanted(),
        upkeep._outlived(tx, BEGIN),
        upkeep._building(tx),
        tx.find(Work, Where("state", "=", "RUNNING"), Where("lease_until", "<", BEGIN), order=("lease_until", "id")),
    ),
    "the collector's question": lambda tx: named_objects(tx, [key_of(each) for each in range(100)]),
}


@pytest.mark.parametrize("name", HOT)
def test_no_hot_question_reads_a_whole_table(filled: SqlCatalog, name: str) -> None:
    plans = explained(filled, HOT[name])
    assert plans
    for plan in plans:
        assert not [line for line in plan[1:] if WHOLE.search(line)], "\n".join(plan)


@pytest.mark.parametrize("by", UsageBy)
def test_usage_of_a_month_finds_builds_by_when_they_ended(filled: SqlCatalog, by: UsageBy) -> None:
    [plan] = explained(filled, lambda tx: tx.usage(by, BEGIN + 500 * DAY_S, BEGIN + 530 * DAY_S, None, 100))
    assert any("work_usage" in line for line in plan), "\n".join(plan)


def explained(catalog: SqlCatalog, step: Callable[[Transaction], Any]) -> list[list[str]]:
    """Return how the database answers each question that a step asks of large tables, line by line."""
    asked: list[tuple[str, Any]] = []
    engine = catalog._database.engine

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().startswith("SELECT") and any(re.search(rf"FROM {table}\b", statement) for table in LARGE):
            asked.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        catalog.read(step)
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    explain = "EXPLAIN " if catalog.kind == "postgresql" else "EXPLAIN QUERY PLAN "
    with catalog._database.reading() as connection:
        return [
            [statement, *(str(row[-1]) for row in connection.exec_driver_sql(explain + statement, parameters))]
            for statement, parameters in asked
        ]
