"""Opens the database of a catalogue, SQLite or PostgreSQL, so that each step runs as if it were alone."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from dataset_registry.database_errors_sqlalchemy import meaning, one_line
from dataset_registry.row_values import from_json, to_json
from service_kit.errors import FailedPrecondition, InvalidArgument, Unavailable

# What one registry holds open at most; PostgreSQL's own default allows 100 in all.
CONNECTIONS = 16
# How long a step waits for a connection or for another step before its caller is told to come again, and how long one
# that fell silent in its middle may hold up the others.
BUSY_S = 20.0

_POSTGRESQL = {
    "connect_timeout": 5,
    "client_encoding": "utf8",
    "application_name": "darkroom-registry",
    # A database that vanished without a word is noticed within half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
# Every step that writes holds this table together with others, or alone. A `LOCK` sees nothing yet: the step's
# snapshot is taken when it has its turn, so one that is alone cannot conflict.
_TOGETHER = "LOCK TABLE alembic_version IN ROW SHARE MODE"
_ALONE = "LOCK TABLE alembic_version IN EXCLUSIVE MODE"
_JSON: dict[str, Any] = {"json_serializer": to_json, "json_deserializer": from_json}
_NOW = "SELECT extract(epoch FROM clock_timestamp())"
# Two registries that migrate at once do so one after the other.
_MIGRATING = "SELECT pg_advisory_xact_lock(7275628)"


class Database(Protocol):
    """One database, and how to begin in it."""

    engine: sa.Engine
    place: str
    """Where it lies, for messages; without user or password."""

    def now(self, connection: sa.Connection) -> float:
        """Return its time, in seconds since the epoch."""

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """Give a connection that sees one consistent state."""

    def writing(self, *, alone: bool) -> AbstractContextManager[sa.Connection]:
        """Give a connection whose changes are committed at the end of the block, or rolled back by its error.

        Steps that overlap end as if one had run after the other, or with `Conflict`; ``alone`` with nobody beside.
        """

    def migrating(self) -> AbstractContextManager[sa.Connection]:
        """Give a connection that alone changes tables; all of it is committed at the end of the block."""


def open_database(url: str, connections: int = CONNECTIONS, busy_s: float = BUSY_S) -> Database:
    """Return the database at an SQLAlchemy URL, not yet looked at. Raises `InvalidArgument`, saying what would do."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteDatabase(parsed, connections, busy_s)
    return PostgresqlDatabase(parsed, connections, busy_s)


def parse_url(url: str) -> sa.URL:
    """Return the parsed URL; the short forms ``postgresql://`` and ``postgres://`` mean the driver that is there."""
    expected = "postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE or sqlite:////FOLDER/catalog.sqlite"
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        # Nothing of the text is repeated: any part of it may be a password.
        raise InvalidArgument(f"the catalogue's URL is none; {expected} would do") from None
    name, _, driver = parsed.drivername.partition("+")
    if name in ("postgresql", "postgres") and driver in ("", "psycopg"):
        if "@" in (parsed.host or ""):
            raise InvalidArgument("the catalogue's URL has more than one @; in a password write it %40")
        if not parsed.database:
            raise InvalidArgument(f"the catalogue's URL names no database; {expected} would do")
        return parsed.set(drivername="postgresql+psycopg")
    if name == "sqlite" and driver in ("", "pysqlite"):
        return parsed
    raise InvalidArgument(f"the catalogue's URL is of another kind of database; {expected} would do")


class SqliteDatabase:
    """A file, with one writer at a time."""

    def __init__(self, url: sa.URL, connections: int, busy_s: float) -> None:
        self.place = f"sqlite:///{url.database}"
        self.engine = sa.create_engine(url, **_JSON, hide_parameters=True, **_pool(connections, busy_s))
        # Waiting here, among the threads of one registry, is fair and costs no polling.
        self._turn = threading.Lock()
        sa.event.listen(self.engine, "connect", self._set_up)
        sa.event.listen(self.engine, "begin", self._begin)

    def now(self, connection: sa.Connection) -> float:
        """See `Database`; SQLite has no clock but that of its process."""
        return time.time()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """See `Database`."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, *, alone: bool) -> Iterator[sa.Connection]:
        """See `Database`; here a writer is always alone."""
        with self._turn, self.engine.connect() as connection:
            connection.execution_options(darkroom_writes=True)
            with connection.begin():
                yield connection

    def migrating(self) -> AbstractContextManager[sa.Connection]:
        """See `Database`."""
        return self.writing(alone=True)

    @staticmethod
    def _set_up(connection: Any, _record: Any) -> None:
        # Transactions begin in `_begin`, not when the driver thinks fit.
        connection.isolation_level = None
        for pragma in ("busy_timeout=30000", "synchronous=FULL", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        deadline = time.monotonic() + BUSY_S
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError:
                # Whoever turns a new file to WAL is not waited for by SQLite itself.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    @staticmethod
    def _begin(connection: sa.Connection) -> None:
        # A writer takes its lock at once: upgrading a read lock later can only fail.
        writes = connection.get_execution_options().get("darkroom_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class PostgresqlDatabase:
    """A server, with many writers that PostgreSQL keeps apart (SERIALIZABLE)."""

    def __init__(self, url: sa.URL, connections: int, busy_s: float) -> None:
        shown = sa.URL.create("postgresql", host=url.host, port=url.port, database=url.database)
        self.place = shown.render_as_string()
        # What the URL says itself goes before what is usual here.
        busy_ms = round(busy_s * 1000)
        options = f"-c lock_timeout={busy_ms} -c idle_in_transaction_session_timeout={busy_ms} -c jit=off"
        usual = {key: value for key, value in {**_POSTGRESQL, "options": options}.items() if key not in url.query}
        self.engine = sa.create_engine(
            url,
            connect_args=usual,
            isolation_level="SERIALIZABLE",
            **_JSON,
            hide_parameters=True,
            **_pool(connections, busy_s),
        )

    def now(self, connection: sa.Connection) -> float:
        """See `Database`."""
        return float(connection.exec_driver_sql(_NOW).scalar_one())

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """See `Database`."""
        with self._connect() as connection:
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self, *, alone: bool) -> Iterator[sa.Connection]:
        """See `Database`."""
        with self._connect() as connection, connection.begin():
            connection.exec_driver_sql(_ALONE if alone else _TOGETHER)
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[sa.Connection]:
        """See `Database`; waits as long as another migrates."""
        with self._connect() as connection:
            connection.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                self._check_encoding(connection)
                for setting in ("lock_timeout", "idle_in_transaction_session_timeout"):
                    connection.exec_driver_sql(f"SET LOCAL {setting} = 0")
                connection.exec_driver_sql(_MIGRATING)
                if connection.scalar(sa.text("SELECT to_regclass('alembic_version')")):
                    connection.exec_driver_sql(_ALONE)
                yield connection

    def _check_encoding(self, connection: sa.Connection) -> None:
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
        if encoding != "UTF8":
            raise FailedPrecondition(
                f"the catalogue at {self.place} has the encoding {encoding}; make the database anew, "
                "with `createdb --encoding=UTF8 --template=template0`"
            )

    def _connect(self) -> sa.Connection:
        try:
            return self.engine.connect()
        except DBAPIError as error:
            told = f"cannot connect to {self.place}: {one_line(error.orig)}; start it, or correct the catalogue's URL"
            known = meaning(error, self.place)
            # A wrong option of the URL is no database's error, and will not pass.
            kind = Unavailable if isinstance(known, Unavailable) else InvalidArgument
            raise kind(told, reason="CATALOG_AWAY") from error


def _pool(connections: int, busy_s: float) -> dict[str, Any]:
    # All are kept once they were needed, and the last one given back is the next one used: its cache is warm.
    return {"pool_size": connections, "max_overflow": 0, "pool_timeout": busy_s, "pool_use_lifo": True}
