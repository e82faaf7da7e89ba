"""What a catalogue promises, run over each database that it may lie in: SQLite, and a real PostgreSQL server."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataset_registry.catalog import Transaction, Where
from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.records import Dataset, Definition, LogPiece, RawDataset, Request, Work
from service_kit.errors import InvalidArgument, Unavailable


@dataclass
class Opened:
    """A migrated database, and how a further process would open it."""

    url: str

    def open(self, **options: float) -> SqlCatalog:
        return SqlCatalog(self.url, **options)


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    if request.param == "postgresql":
        return Opened(request.getfixturevalue("migrated_postgres_url"))
    opened = Opened(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    catalog = opened.open()
    catalog.migrate()
    catalog.close()
    return opened


@pytest.fixture
def catalog(opened: Opened) -> Iterator[SqlCatalog]:
    catalog = opened.open()
    yield catalog
    catalog.close()


def together(work: Callable[[int], object], count: int) -> list[object]:
    """Run ``work(0)`` to ``work(count - 1)`` at once, and return what they return; the first error rises."""
    barrier = threading.Barrier(count)

    def begin(number: int) -> object:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return [each.result() for each in [pool.submit(begin, number) for number in range(count)]]


def test_a_record_comes_back_as_it_went_in(catalog: SqlCatalog) -> None:
    record = Dataset(id="k", splits={"train": 3}, preimage='{"ü": 1}', pinned=True, create_time=1.5, failure={"a": [1]})
    stored = catalog.write(lambda tx: tx.put(record))
    found = catalog.read(lambda tx: tx.get(Dataset, "k"))
    assert found == stored
    assert replace(stored, revision=0, update_time=0.0) == record


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_any_json_comes_back_as_it_went_in(catalog: SqlCatalog, document: dict[str, object]) -> None:
    def step(tx: Transaction) -> Definition:
        tx.delete(Definition)
        return tx.put(Definition(id="d", raw=document))

    catalog.write(step)
    found = catalog.read(lambda tx: tx.get(Definition, "d"))
    assert found is not None
    assert found.raw == document
    assert repr(found.raw) == repr(document)


def test_large_values_come_back_whole(catalog: SqlCatalog) -> None:
    text = "a line of the log: größer\n" * 200_000
    record = LogPiece(id="s/0", subject="s", text=text, start=2**63 - 1, size_bytes=-(2**63), fence=2**40)
    stored = catalog.write(lambda tx: tx.put(record))
    assert catalog.read(lambda tx: tx.get(LogPiece, "s/0")) == stored
    document = {"numbers": list(range(200_000)), "large": 10**40}
    catalog.write(lambda tx: tx.put(Definition(id="d", raw=document)))
    assert catalog.read(lambda tx: tx.get(Definition, "d")).raw == document


@pytest.mark.parametrize(
    ("record", "column"),
    [
        (Definition(id="a\0b"), "id"),
        (Definition(id="a", handler="\0"), "handler"),
        (Definition(id="a", handler="half \ud800"), "handler"),
        (Definition(id="a", raw={"x": float("nan")}), "JSON"),
        (Dataset(id="a", archive_size_bytes=2**63), "archive_size_bytes"),
        (Dataset(id="a", create_time=float("nan")), "create_time"),
        (Work(id="a", kind="PREVIEW", subject="s" * 2001), "subject"),
    ],
)
def test_what_some_database_would_not_keep_is_refused_by_name_in_each(
    catalog: SqlCatalog, record: Definition | Dataset | Work, column: str
) -> None:
    with pytest.raises(InvalidArgument, match=column):
        catalog.write(lambda tx: tx.put(record))
    assert catalog.read(lambda tx: tx.count(type(record))) == 0


def test_looking_for_what_no_text_can_be_is_refused(catalog: SqlCatalog) -> None:
    for text in ("a\0b", "\ud800"):
        for relation in ("=", "prefix", "in"):
            value = [text] if relation == "in" else text
            where = Where("id", relation, value)  # type: ignore[arg-type]
            with pytest.raises(InvalidArgument, match="id"):
                catalog.read(lambda tx, where=where: tx.find(Definition, where))
        with pytest.raises(InvalidArgument):
            catalog.read(lambda tx, text=text: tx.get(Definition, text))


@pytest.mark.parametrize(
    "mark",
    [[], ["x"], ["x", "y"], [1.0, 2], [1.0, "\0"], [1.0, "a", "b"], [None, "a"], [10**400, "a"], [True, "a"], [{}, []]],
)
def test_a_place_in_a_list_that_is_none_is_refused(catalog: SqlCatalog, mark: list[object]) -> None:
    with pytest.raises(InvalidArgument, match="page_token"):
        catalog.read(lambda tx: tx.find(Request, order=("-create_time", "-id"), after=mark))


def test_a_step_that_raises_writes_nothing(catalog: SqlCatalog) -> None:
    def step(tx: Transaction) -> None:
        tx.put(Definition(id="a"))
        raise KeyError

    with pytest.raises(KeyError):
        catalog.write(step)
    assert catalog.read(lambda tx: tx.count(Definition)) == 0


def test_concurrent_writers_lose_no_change(catalog: SqlCatalog) -> None:
    catalog.write(lambda tx: tx.put(Work(id="w", kind="BUILD", subject="s")))

    def add(_: int) -> None:
        for _ in range(20):
            catalog.write(lambda tx: tx.put(replace(tx.get(Work, "w"), attempt=tx.get(Work, "w").attempt + 1)))

    together(add, 8)
    work = catalog.read(lambda tx: tx.get(Work, "w"))
    assert work is not None
    assert (work.attempt, work.revision) == (160, 161)


def test_one_subject_has_one_unfinished_work(opened: Opened) -> None:
    catalogs = [opened.open(), opened.open()]

    def join(number: int) -> str:
        def step(tx: Transaction) -> str:
            found = tx.find(Work, Where("subject", "=", "s"), Where("state", "in", ("QUEUED", "RUNNING")))
            return (found[0] if found else tx.put(Work(id=f"w{number}", kind="BUILD", subject="s"))).id

        return catalogs[number % 2].write(step)

    assert len(set(together(join, 16))) == 1
    # Also one that did not look before: the database itself keeps the single flight.
    with pytest.raises(Unavailable, match="too busy"):
        catalogs[0].write(lambda tx: tx.put(Work(id="another", kind="BUILD", subject="s")))
    catalogs[0].write(lambda tx: tx.put(replace(tx.find(Work)[0], state="DONE")))
    catalogs[1].write(lambda tx: tx.put(Work(id="another", kind="BUILD", subject="s")))
    for each in catalogs:
        each.close()


def test_many_who_claim_at_once_get_each_work_once(opened: Opened) -> None:
    count, claimers = 40, 10
    catalogs = [opened.open(), opened.open()]

    def fill(tx: Transaction) -> None:
        for number in range(count):
            tx.put(Work(id=f"w{number:02}", kind="BUILD", subject=f"s{number}", create_time=float(number)))

    catalogs[0].write(fill)

    def claim(number: int) -> list[str]:
        def step(tx: Transaction) -> str | None:
            queued = tx.find(Work, Where("state", "=", "QUEUED"), order=("create_time", "id"), limit=5)
            return tx.put(queued[0].claimed(tx.now(), f"r{number}", 30)).id if queued else None

        mine = []
        while (got := catalogs[number % 2].write(step)) is not None:
            mine.append(got)
        return mine

    claimed = Counter(identity for mine in together(claim, claimers) for identity in mine)  # type: ignore[attr-defined]
    assert claimed == {f"w{number:02}": 1 for number in range(count)}
    done = catalogs[0].read(lambda tx: tx.find(Work))
    assert {(each.fence, each.attempt, each.revision, each.state) for each in done} == {(1, 1, 2, "RUNNING")}
    for each in catalogs:
        each.close()


def test_a_decision_on_what_was_read_holds_when_it_is_written(opened: Opened) -> None:
    # The story: a build is stopped because nobody waits for it, while somebody joins it. Neither writes a row that
    # the other writes, so that only the whole step's order can keep them apart.
    catalogs = [opened.open(), opened.open()]
    for number in range(10):
        key, request = f"k{number}", f"r{number}"
        catalogs[0].write(lambda tx, key=key: tx.put(Dataset(id=key)))

        def stop(tx: Transaction, key: str = key) -> None:
            if tx.count(Request, Where("key", "=", key)) == 0:
                tx.put(replace(tx.get(Dataset, key), state="CANCELLED"))

        def join(tx: Transaction, key: str = key, request: str = request) -> None:
            if tx.get(Dataset, key).state == "BUILDING":
                tx.put(Request(id=request, key=key))

        steps = [stop, join]
        together(lambda number, steps=steps: catalogs[number].write(steps[number]), 2)
        state = catalogs[0].read(lambda tx, key=key: tx.get(Dataset, key)).state
        waiting = catalogs[0].read(lambda tx, key=key: tx.count(Request, Where("key", "=", key)))
        assert (state, waiting) in {("CANCELLED", 0), ("BUILDING", 1)}
    for each in catalogs:
        each.close()


def test_a_reader_sees_one_state_while_others_write(opened: Opened) -> None:
    reader, writer = opened.open(), opened.open()
    writer.write(lambda tx: [tx.put(Definition(id=each)) for each in ("a", "b")])
    seen: list[int] = []

    def step(tx: Transaction) -> None:
        seen.append(tx.count(Definition))
        writer.write(lambda other: other.put(Definition(id="c")))
        seen.append(tx.count(Definition))

    reader.read(step)
    assert seen == [2, 2]
    assert reader.read(lambda tx: tx.count(Definition)) == 3
    for each in (reader, writer):
        each.close()


def test_the_time_is_the_databases_and_one_for_the_whole_step(catalog: SqlCatalog) -> None:
    first, second = catalog.read(lambda tx: (tx.now(), tx.now()))
    assert first == second
    later = catalog.write(lambda tx: tx.now())
    # SQLite tells milliseconds.
    assert first - 0.002 <= later < first + 120
    stored = catalog.write(lambda tx: tx.put(RawDataset(id="street", scan_time=tx.now())))
    assert stored.update_time == stored.scan_time


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
    assert [(each.create_time, each.id) for each in pages(catalog, size)] == sorted(
        ((time, f"r{number:02}") for number, time in enumerate(times)), reverse=True
    )


def pages(catalog: SqlCatalog, size: int, between: Callable[[], object] = lambda: None) -> list[Request]:
    seen: list[Request] = []
    after = None
    while page := catalog.read(
        lambda tx, after=after: tx.find(Request, order=("-create_time", "-id"), after=after, limit=size)
    ):
        seen += page
        after = (page[-1].create_time, page[-1].id)
        between()
    return seen


def test_pages_stay_stable_while_rows_come(catalog: SqlCatalog) -> None:
    catalog.write(lambda tx: [tx.put(Request(id=f"r{each}", create_time=1000.0 + each % 3)) for each in range(9)])
    new = iter(range(100))

    def arrive() -> None:
        number = next(new)
        catalog.write(lambda tx: tx.put(Request(id=f"new{number}", create_time=2000.0 + number)))

    seen = [each.id for each in pages(catalog, 2, arrive)]
    assert sorted(seen) == [f"r{each}" for each in range(9)]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=6)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(texts | st.sampled_from(["a", "B", "_", "-", "a b", "Z", "ä", "ab", "aB", "\U0010fffe"]), max_size=12))
def test_text_is_ordered_and_compared_by_code_points(catalog: SqlCatalog, names: set[str]) -> None:
    def fill(tx: Transaction) -> None:
        tx.delete(Definition)
        for name in names:
            tx.put(Definition(id=name))

    catalog.write(fill)
    assert [each.id for each in catalog.read(lambda tx: tx.find(Definition))] == sorted(names)
    for name in names:
        above = catalog.read(lambda tx, name=name: tx.find(Definition, Where("id", ">", name)))
        behind = catalog.read(lambda tx, name=name: tx.find(Definition, after=[name]))
        assert (
            [each.id for each in above]
            == [each.id for each in behind]
            == [each for each in sorted(names) if each > name]
        )
        begins = catalog.read(lambda tx, name=name: tx.find(Definition, Where("id", "prefix", name[:1])))
        assert [each.id for each in begins] == sorted(each for each in names if each.startswith(name[:1]))


def test_a_prefix_finds_what_begins_with_it_and_nothing_else(catalog: SqlCatalog) -> None:
    for identity in ("abc", "abd", "ab%", "b", "AB", "a_c"):
        catalog.write(lambda tx, identity=identity: tx.put(Dataset(id=identity)))
    found = catalog.read(lambda tx: tx.find(Dataset, Where("id", "prefix", "ab")))
    assert [each.id for each in found] == ["ab%", "abc", "abd"]


def test_one_of_very_many_values_is_found(catalog: SqlCatalog) -> None:
    catalog.write(lambda tx: [tx.put(Request(id=f"r{each}")) for each in range(3)])
    many = [f"r{each}" for each in range(70_000)]
    assert [each.id for each in catalog.read(lambda tx: tx.find(Request, Where("id", "in", many)))] == [
        "r0",
        "r1",
        "r2",
    ]
    assert catalog.read(lambda tx: tx.revisions(Request, many)) == {"r0": 1, "r1": 1, "r2": 1}
    assert catalog.read(lambda tx: tx.find(Request, Where("id", "in", []))) == []
    assert catalog.read(lambda tx: tx.revisions(Request, [])) == {}


def test_rows_are_counted_by_value(catalog: SqlCatalog) -> None:
    catalog.write(lambda tx: [tx.put(Request(id=f"r{each}", key=f"k{each % 3}", cached=each > 3)) for each in range(7)])
    keys = ["k0", "k1", "absent", *(f"more-{each}" for each in range(100))]
    assert catalog.read(lambda tx: tx.counts(Request, "key", keys)) == {"k0": 3, "k1": 2}
    assert catalog.read(lambda tx: tx.counts(Request, "key", keys[:3], Where("cached", "=", True))) == {
        "k0": 1,
        "k1": 1,
    }
    assert catalog.read(lambda tx: tx.counts(Request, "key", [])) == {}


def test_more_steps_than_connections_wait_for_their_turn(opened: Opened) -> None:
    catalog = opened.open(connections=2)
    catalog.write(lambda tx: tx.put(Work(id="w", kind="BUILD", subject="s")))

    def count(_: int) -> None:
        for _ in range(3):
            catalog.read(lambda tx: tx.get(Work, "w"))
            catalog.write(lambda tx: tx.put(replace(tx.get(Work, "w"), attempt=tx.get(Work, "w").attempt + 1)))

    together(count, 12)
    assert catalog.read(lambda tx: tx.get(Work, "w")).attempt == 36
    catalog.close()
