"""The lists that a registry asks for all the time, over each database that a catalogue may lie in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dataset_registry.catalog import Needs
from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.records import Dataset, Request, Work


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlCatalog]:
    if request.param == "postgresql":
        catalog = SqlCatalog(request.getfixturevalue("migrated_postgres_url"))
    else:
        catalog = SqlCatalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
        catalog.migrate()
    yield catalog
    catalog.close()


def test_the_queue_shows_what_a_claim_must_know_the_oldest_first(catalog: SqlCatalog) -> None:
    rows = [
        Work(id="young", kind="BUILD", subject="1", create_time=20.0, raw_names=["sea", "street"], not_before=30.0),
        Work(id="old", kind="SNAPSHOT", subject="2", create_time=10.0, repository="lab", commit="c1"),
        Work(id="older", kind="BUILD", subject="3", create_time=5.0, state="RUNNING"),
        Work(id="oldest", kind="BUILD", subject="4", create_time=1.0, state="DONE"),
    ]
    catalog.write(lambda tx: [tx.put(row) for row in rows])
    found = catalog.read(lambda tx: tx.queued(10))
    assert [(each.id, each.needs, each.create_time, each.not_before) for each in found] == [
        ("old", Needs("SNAPSHOT", "lab", "c1", ()), 10.0, 0.0),
        ("young", Needs("BUILD", "", "", ("sea", "street")), 20.0, 30.0),
    ]
    assert [each.id for each in catalog.read(lambda tx: tx.queued(1))] == ["old"]


def test_the_place_in_the_queue_counts_what_is_queued_of_the_same_kind(catalog: SqlCatalog) -> None:
    rows = [
        *(
            Work(id=f"b{number}", kind="BUILD", subject=f"{number}", create_time=1.0 + number // 2)
            for number in range(6)
        ),
        Work(id="running", kind="BUILD", subject="r", create_time=0.5, state="RUNNING"),
        Work(id="walk", kind="SNAPSHOT", subject="r", create_time=9.0),
    ]
    catalog.write(lambda tx: [tx.put(row) for row in rows])
    found = catalog.read(lambda tx: tx.ahead(["b0", "b1", "b5", "walk", "running", "nothing"]))
    assert found == {"b0": 0, "b1": 0, "b5": 4, "walk": 0}


def test_requests_that_wait_for_a_build_under_way_need_no_look(catalog: SqlCatalog) -> None:
    datasets = [Dataset(id=state.lower(), state=state) for state in ("BUILDING", "READY", "FAILED")]
    requests = [
        Request(id="resolving"),
        Request(id="waits", state="BUILDING", key="building"),
        Request(id="ready", state="BUILDING", key="ready"),
        Request(id="failed", state="BUILDING", key="failed"),
        Request(id="gone", state="BUILDING", key="nowhere"),
        Request(id="told", state="READY", key="ready"),
    ]
    catalog.write(lambda tx: [tx.put(row) for row in (*datasets, *requests)])
    assert sorted(catalog.read(lambda tx: tx.unsettled())) == ["failed", "gone", "ready", "resolving"]


def test_a_build_is_looked_at_when_nobody_waits_or_somebody_waits_again(catalog: SqlCatalog) -> None:
    rows = [
        Dataset(id="wanted"),
        Dataset(id="again", idle_since=5.0),
        Dataset(id="left"),
        Dataset(id="ready", state="READY"),
        Request(id="1", state="BUILDING", key="wanted"),
        Request(id="2", state="BUILDING", key="again"),
        Request(id="3", state="CANCELLED", key="left"),
    ]
    catalog.write(lambda tx: [tx.put(row) for row in rows])
    assert sorted(catalog.read(lambda tx: tx.unwanted())) == ["again", "left"]


def test_a_step_reads_a_row_once_and_sees_what_it_wrote(catalog: SqlCatalog) -> None:
    def step(tx) -> list[object]:
        missing = tx.get(Request, "a")
        stored = tx.put(Request(id="a", key="k"))
        written = tx.get(Request, "a")
        tx.delete(Request)
        return [missing, written == stored, tx.get(Request, "a")]

    assert catalog.write(step) == [None, True, None]
