"""PostgreSQL as it fails: wrong addresses, lost lines, restarts, locks that stay, and never a word of the password."""

from __future__ import annotations

import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count

import psycopg
import pytest

from dataset_registry.catalog import Transaction
from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.database_sqlalchemy import parse_url
from dataset_registry.records import Definition, RawDataset, Work
from service_kit.errors import DarkroomError, FailedPrecondition, InvalidArgument, ResourceExhausted, Unavailable

SECRET = "s3cret-word"


@pytest.fixture
def catalog(migrated_postgres_url: str) -> Iterator[SqlCatalog]:
    catalog = SqlCatalog(migrated_postgres_url, busy_s=1.0)
    yield catalog
    catalog.close()


def refused(call: Callable[[], object], kind: type[DarkroomError]) -> str:
    """Return the error's message; it is one line, and neither it nor its traceback names the password."""
    with pytest.raises(kind) as caught:
        call()
    story = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    for word in (SECRET, "not-in-any-log-5f1c"):
        assert word not in story
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        SECRET,
        f"//u:{SECRET}@h/d",
        f"mysql://u:{SECRET}@h/d",
        f"postgresql+psycopg2://u:{SECRET}@h/d",
        f"postgresql://u:{SECRET}@h:port/d",
        f"postgresql://u:{SECRET}@h",
        f"postgresql://u:p@{SECRET}@h/d",
    ],
)
def test_what_is_no_url_of_a_catalogue_is_refused_with_one_that_would_do(url: str) -> None:
    message = refused(lambda: SqlCatalog(url), InvalidArgument)
    assert "postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE" in message or "%40" in message


def test_the_short_forms_mean_the_driver_that_is_there() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        assert parse_url(f"{scheme}://u:p%40x@h:1/d").render_as_string(False) == "postgresql+psycopg://u:p%40x@h:1/d"


def test_a_database_that_cannot_be_reached_is_named_without_its_password(postgres_server) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"postgresql://u:{SECRET}@127.0.0.1:{probe.getsockname()[1]}/d"
        message = refused(SqlCatalog(nobody).check_migrated, Unavailable)
        assert f"postgresql://127.0.0.1:{probe.getsockname()[1]}/d" in message
        assert "refused" in message
    wrong = SqlCatalog(postgres_server.url("postgres", SECRET))
    assert "password authentication failed" in refused(wrong.check_migrated, Unavailable)
    missing = SqlCatalog(postgres_server.url("nowhere"))
    assert 'database "nowhere" does not exist' in refused(missing.migrate, Unavailable)
    odd = SqlCatalog(postgres_server.url("postgres") + "?no_such_option=1")
    assert "no_such_option" in refused(odd.migrate, InvalidArgument)


def test_an_unmigrated_database_says_what_would_do(postgres_url: str) -> None:
    catalog = SqlCatalog(postgres_url)
    calls: list[Callable[[], object]] = [
        catalog.check_migrated,
        lambda: catalog.read(lambda tx: tx.find(Definition)),
        lambda: catalog.write(lambda tx: tx.put(Definition(id="a"))),
    ]
    for call in calls:
        assert "python -m dataset_registry migrate" in refused(call, FailedPrecondition)
    catalog.close()


def test_a_database_of_another_encoding_is_refused(postgres_server) -> None:
    with postgres_server.connect("postgres") as connection:
        connection.execute(
            "CREATE DATABASE ascii ENCODING SQL_ASCII LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0"
        )
    catalog = SqlCatalog(postgres_server.url("ascii"))
    assert "--encoding=UTF8" in refused(catalog.migrate, FailedPrecondition)
    catalog.close()


def test_a_step_whose_line_broke_before_its_commit_is_done_again_and_once(catalog: SqlCatalog) -> None:
    runs = count(1)

    def step(tx: Transaction) -> None:
        tx.put(Definition(id="a"))
        if next(runs) == 1:
            tx._connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")  # type: ignore[attr-defined]

    catalog.write(step)
    assert next(runs) == 3
    assert catalog.read(lambda tx: tx.count(Definition)) == 1


def test_a_commit_without_an_answer_is_not_done_again(
    catalog: SqlCatalog, postgres_server, migrated_postgres_url: str
) -> None:
    with postgres_server.connect(migrated_postgres_url.rpartition("/")[2]) as connection:
        connection.execute(
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END$$"
        )
        connection.execute(
            "CREATE CONSTRAINT TRIGGER dies_at_commit AFTER INSERT ON definitions DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION die()"
        )
    runs = []
    refused(lambda: catalog.write(lambda tx: runs.append(tx.put(Definition(id="a")))), Unavailable)
    assert len(runs) == 1


def test_a_restart_under_load_loses_nothing_and_doubles_nothing(catalog: SqlCatalog, postgres_server) -> None:
    catalog.write(lambda tx: tx.put(Work(id="total", kind="BUILD", subject="s")))
    stop, away = threading.Event(), []

    def caller(number: int) -> int:
        done = 0
        while not stop.is_set():
            name = f"{number}-{done}"

            def step(tx: Transaction, name: str = name) -> None:
                # What every call of ours carries: a name, by which it is known again.
                if tx.get(RawDataset, name) is None:
                    tx.put(RawDataset(id=name))
                    total = tx.get(Work, "total")
                    tx.put(replace(total, attempt=total.attempt + 1))

            try:
                catalog.write(step)
                done += 1
            except Unavailable as error:
                away.append(error)
                time.sleep(0.02)
        return done

    with ThreadPoolExecutor(4) as pool:
        callers = [pool.submit(caller, number) for number in range(4)]
        for _ in range(2):
            before = catalog_count(catalog)
            postgres_server.stop()
            time.sleep(0.1)
            postgres_server.start()
            while catalog_count(catalog) < before + 5:
                assert not any(each.done() for each in callers), [each.result() for each in callers]
                time.sleep(0.02)
        stop.set()
        done = sum(each.result() for each in callers)
    total = catalog.read(lambda tx: tx.get(Work, "total")).attempt
    assert away
    assert total == catalog_count(catalog)
    # One that stopped right after a commit without an answer did not learn of it.
    assert done <= total <= done + 4


def catalog_count(catalog: SqlCatalog) -> int:
    for _ in range(3000):
        try:
            return catalog.read(lambda tx: tx.count(RawDataset))
        except Unavailable:
            time.sleep(0.02)
    raise AssertionError("the database did not come back")


def test_a_lock_that_stays_is_said_to_be_busy_and_then_goes_on(
    catalog: SqlCatalog, postgres_server, migrated_postgres_url
) -> None:
    with postgres_server.connect(migrated_postgres_url.rpartition("/")[2]) as connection:
        connection.execute("BEGIN")
        connection.execute("LOCK TABLE alembic_version IN EXCLUSIVE MODE")
        assert "lock timeout" in refused(lambda: catalog.write(lambda tx: tx.put(Definition(id="a"))), Unavailable)
        assert catalog.read(lambda tx: tx.count(Definition)) == 0
        connection.execute("ROLLBACK")
    catalog.write(lambda tx: tx.put(Definition(id="a")))


def test_a_step_that_fell_silent_holds_nobody_up_for_long(catalog: SqlCatalog, migrated_postgres_url: str) -> None:
    silent, other = SqlCatalog(migrated_postgres_url, busy_s=0.3), SqlCatalog(migrated_postgres_url, busy_s=30.0)
    catalog.write(lambda tx: tx.put(Work(id="w", kind="BUILD", subject="s")))
    holding, go_on = threading.Event(), threading.Event()

    def add(tx: Transaction) -> None:
        work = tx.get(Work, "w")
        tx.put(replace(work, attempt=work.attempt + 1))

    def fall_silent(tx: Transaction) -> None:
        tx.now()
        holding.set()
        go_on.wait(60)
        add(tx)

    with ThreadPoolExecutor(1) as pool:
        sleeper = pool.submit(silent.write, fall_silent)
        assert holding.wait(60)
        other.write(add)
        go_on.set()
        sleeper.result(60)
    assert catalog.read(lambda tx: tx.get(Work, "w")).attempt == 2
    for each in (silent, other):
        each.close()


def test_steps_in_a_deadlock_both_come_to_their_end(catalog: SqlCatalog) -> None:
    catalog.write(lambda tx: [tx.put(Work(id=each, kind="BUILD", subject=each)) for each in "ab"])
    both = threading.Barrier(2)

    def touch(order: str) -> None:
        first = [True]

        def step(tx: Transaction) -> None:
            works = [tx.get(Work, each) for each in order]
            tx.put(replace(works[0], attempt=works[0].attempt + 1))
            if first.pop() if first else False:
                both.wait(30)
            tx.put(replace(works[1], attempt=works[1].attempt + 1))

        catalog.write(step)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(touch, ["ab", "ba"]))
    assert [each.attempt for each in catalog.read(lambda tx: tx.find(Work))] == [2, 2]


def test_a_registry_without_a_free_connection_says_so(migrated_postgres_url: str) -> None:
    catalog = SqlCatalog(migrated_postgres_url, connections=1, busy_s=0.2)

    def step(_: Transaction) -> None:
        refused(lambda: catalog.read(lambda tx: tx.now()), Unavailable)

    catalog.read(step)
    assert catalog.read(lambda tx: tx.now()) > 0
    catalog.close()


@pytest.mark.parametrize(
    ("code", "kind"), [("53100", ResourceExhausted), ("25006", Unavailable), ("53200", Unavailable)]
)
def test_what_the_server_says_has_its_meaning(
    catalog: SqlCatalog, postgres_server, migrated_postgres_url: str, code: str, kind: type[DarkroomError]
) -> None:
    with postgres_server.connect(migrated_postgres_url.rpartition("/")[2]) as connection:
        connection.execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$BEGIN RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = 'as it happens'; END$$"
        )
        connection.execute("CREATE TRIGGER fails BEFORE INSERT ON definitions FOR EACH ROW EXECUTE FUNCTION fail()")
    refused(lambda: catalog.write(lambda tx: tx.put(Definition(id="a"))), kind)
    catalog.write(lambda tx: tx.put(RawDataset(id="a")))


def test_a_server_without_free_connections_is_busy_and_not_broken(catalog: SqlCatalog, postgres_server) -> None:
    with postgres_server.connect("postgres") as connection:
        free = int(connection.execute("SHOW max_connections").fetchone()[0])
    taken = []
    try:
        with pytest.raises(psycopg.OperationalError):
            for _ in range(free + 1):
                taken.append(postgres_server.connect("postgres"))
        other = SqlCatalog(postgres_server.url("postgres"))
        assert "connect" in refused(other.check_migrated, Unavailable)
    finally:
        for each in taken:
            each.close()
