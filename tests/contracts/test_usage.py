"""What the catalogue sums up as usage, over each database that it may lie in."""

from __future__ import annotations

import itertools
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dataset_registry.catalog import Where
from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.records import Dataset, Download, Request, UsageTotal, Work
from dataset_registry.usage import Usage, UsageBy
from dataset_registry.usage_totals import UsageTotals, all_usage

EVER = 1e12


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlCatalog]:
    if request.param == "postgresql":
        catalog = SqlCatalog(request.getfixturevalue("migrated_postgres_url"))
    else:
        catalog = SqlCatalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
        catalog.migrate()
    yield catalog
    catalog.close()


def usage(catalog: SqlCatalog, by: UsageBy, since: float = 0.0, until: float = EVER) -> dict[str, Usage]:
    return {each.group: each for each in catalog.read(lambda tx: tx.usage(by, since, until, None, 1000))}


def write_rows(catalog: SqlCatalog) -> None:
    """Two datasets of `street` and one of `sea`, asked for by two; every number told apart from the others."""
    numbers = itertools.count()

    def asked(key: str, name: str, who: str, count: int, at: float = 100.0, **fields: object) -> list[Request]:
        values = {"key": key, "dataset_name": name, "requester": who, "create_time": at, **fields}
        return [Request(id=f"r{next(numbers)}", **values) for _ in range(count)]

    rows = [
        *asked("k1", "street", "anna", 1, state="READY"),
        *asked("k1", "street", "anna", 6, state="READY", cached=True),
        *asked("k1", "street", "bob", 2, state="READY", joined=True),
        *asked("k2", "street", "bob", 1, state="FAILED"),
        *asked("k3", "sea", "bob", 3, state="READY", cached=True, at=300.0),
        *asked("", "sea", "anna", 1, state="FAILED"),
        Dataset(id="k1", dataset_name="street", started_by="anna"),
        Dataset(id="k3", dataset_name="sea", started_by="anna"),
        *(
            Work(kind="BUILD", id=f"w{number}", **fields)
            for number, fields in enumerate(
                [
                    _ended("k1", "DONE", 100.0, 130.0, dataset_name="street", requester="anna"),
                    _ended("k2", "FAILED", 100.0, 105.0, dataset_name="street", requester="bob"),
                    # As an earlier version wrote it.
                    _ended("k3", "DONE", 300.0, 302.5),
                    {"subject": "k4", "state": "RUNNING", "start_time": 100.0, "dataset_name": "street"},
                    _ended("k5", "CANCELLED", 0.0, 400.0, dataset_name="street", requester="bob"),
                ]
            )
        ),
        Work(id="other", kind="SNAPSHOT", subject="street", state="DONE", start_time=1.0, finish_time=99.0),
        Download(id="d1", key="k1", dataset_name="street", requester="bob", size_bytes=1000, create_time=140.0),
        Download(id="d2", key="k1", dataset_name="street", requester="bob", size_bytes=2**40, create_time=141.0),
        Download(id="d3", key="k3", requester="eva", size_bytes=5, create_time=310.0),
    ]
    catalog.write(lambda tx: [tx.put(row) for row in rows])


def _ended(key: str, state: str, start: float, end: float, **fields: str) -> dict[str, object]:
    return {"subject": key, "state": state, "start_time": start, "finish_time": end, **fields}


def test_usage_is_summed_by_dataset_name_and_requester(catalog: SqlCatalog) -> None:
    write_rows(catalog)
    assert usage(catalog, UsageBy.DATASET) == {
        "k1": Usage("k1", "street", 9, 6, 2, 1, 30.0, 2, 1000 + 2**40),
        "k2": Usage("k2", "street", 1, 0, 0, 0, 5.0, 0, 0),
        "k3": Usage("k3", "sea", 3, 3, 0, 1, 2.5, 1, 5),
        "k5": Usage("k5", "street", 0, 0, 0, 0, 0.0, 0, 0),
    }
    assert usage(catalog, UsageBy.NAME) == {
        "street": Usage("street", "street", 10, 6, 2, 1, 35.0, 2, 1000 + 2**40),
        "sea": Usage("sea", "sea", 4, 3, 0, 1, 2.5, 1, 5),
    }
    assert usage(catalog, UsageBy.REQUESTER) == {
        "anna": Usage("anna", "street", 8, 6, 0, 2, 32.5, 0, 0),
        "bob": Usage("bob", "street", 6, 3, 2, 0, 5.0, 2, 1000 + 2**40),
        "eva": Usage("eva", "sea", 0, 0, 0, 0, 0.0, 1, 5),
    }


def test_usage_counts_what_happened_in_its_time(catalog: SqlCatalog) -> None:
    write_rows(catalog)
    assert set(usage(catalog, UsageBy.DATASET, since=200.0)) == {"k3", "k5"}
    early = usage(catalog, UsageBy.DATASET, until=140.0)
    assert set(early) == {"k1", "k2"}
    assert early["k1"].download_count == 0
    assert usage(catalog, UsageBy.DATASET, since=140.0, until=141.0)["k1"].download_bytes == 1000
    assert usage(catalog, UsageBy.NAME, since=1000.0) == {}


def test_pages_of_usage_show_each_line_once_most_requested_first(catalog: SqlCatalog) -> None:
    expected: Counter[str] = Counter()
    names: dict[str, set[str]] = defaultdict(set)
    for number in range(300):
        key = f"k{number % 7 * (number % 3)}"
        expected[key] += 1
        names[key].add(f"name-{number % 2}")
    rows = [(f"k{number % 7 * (number % 3)}", f"name-{number % 2}") for number in range(300)]
    catalog.write(lambda tx: [tx.put(Request(id=str(uuid.uuid4()), key=key, dataset_name=name)) for key, name in rows])
    shown: list[Usage] = []
    while True:
        after = (shown[-1].request_count, shown[-1].group) if shown else None
        page = catalog.read(lambda tx, after=after: tx.usage(UsageBy.DATASET, 0.0, EVER, after, 2))
        shown += page
        if len(page) < 2:
            break
    assert {each.group: each.request_count for each in shown} == expected
    assert len(shown) == len(expected)
    assert [each.request_count for each in shown] == sorted(expected.values(), reverse=True)
    assert all(each.dataset_name in names[each.group] for each in shown)


def test_the_queue_is_counted_by_kind_and_state(catalog: SqlCatalog) -> None:
    rows = [
        Work(id="a", kind="BUILD", subject="1", create_time=10.0),
        Work(id="b", kind="BUILD", subject="2", create_time=7.0),
        Work(id="c", kind="BUILD", subject="3", create_time=5.0, state="RUNNING"),
        Work(id="d", kind="SNAPSHOT", subject="1", create_time=9.0),
        Work(id="e", kind="SNAPSHOT", subject="1", create_time=1.0, state="DONE"),
    ]
    catalog.write(lambda tx: [tx.put(row) for row in rows])
    assert sorted(catalog.read(lambda tx: tx.queue())) == [
        ("BUILD", "QUEUED", 2, 7.0),
        ("BUILD", "RUNNING", 1, 5.0),
        ("SNAPSHOT", "QUEUED", 1, 9.0),
    ]


def one_by_one(catalog: SqlCatalog, by: UsageBy) -> list[Usage]:
    """Return the usage of all time, read in pages of one line."""
    shown: list[Usage] = []
    after = None
    while page := catalog.read(lambda tx, after=after: all_usage(tx, by, after, 1)):
        shown += page
        after = page[-1].place
    return shown


def test_usage_of_all_time_is_the_same_wherever_the_mark_of_the_totals_stands(catalog: SqlCatalog) -> None:
    write_rows(catalog)
    expected = {by: catalog.read(lambda tx, by=by: tx.usage(by, 0.0, EVER, None, 1000)) for by in UsageBy}
    totals = UsageTotals(catalog, settled_s=0.0)
    steps = 0
    while True:
        for by, lines in expected.items():
            assert catalog.read(lambda tx, by=by: all_usage(tx, by, None, 1000)) == lines
            assert one_by_one(catalog, by) == lines
        if not totals.add_some():
            break
        steps += 1
    assert steps > 0
    assert catalog.read(lambda tx: tx.count(UsageTotal, Where("by", "=", UsageBy.NAME))) == 2


def test_totals_leave_out_what_may_still_change(catalog: SqlCatalog) -> None:
    def put(*rows: Request) -> None:
        catalog.write(lambda tx: [tx.put(row) for row in rows])

    waiting = Request(id="b", key="k", create_time=200.0, requester="anna", dataset_name="street")
    put(
        Request(id="a", key="k", create_time=100.0, requester="anna", dataset_name="street", state="READY"),
        waiting,
        Request(id="c", key="k", create_time=300.0, requester="anna", dataset_name="street", state="READY"),
    )
    totals = UsageTotals(catalog, settled_s=0.0)
    while totals.add_some():
        pass
    counted = catalog.read(lambda tx: tx.find(UsageTotal, Where("by", "=", UsageBy.NAME)))
    assert [each.request_count for each in counted] == [1]
    catalog.write(lambda tx: tx.put(replace(tx.get(Request, "b"), state="READY", cached=True)))
    totals.add_some()
    [line] = catalog.read(lambda tx: all_usage(tx, UsageBy.NAME, None, 10))
    assert (line.request_count, line.hit_count) == (3, 1)


def test_of_two_that_add_up_at_once_one_does_it(catalog: SqlCatalog) -> None:
    write_rows(catalog)
    expected = catalog.read(lambda tx: tx.usage(UsageBy.DATASET, 0.0, EVER, None, 1000))
    both = [UsageTotals(catalog, settled_s=0.0) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        while any(pool.map(lambda each: each.add_some(), both)):
            pass
    assert catalog.read(lambda tx: all_usage(tx, UsageBy.DATASET, None, 1000)) == expected
