"""The catalogue in a database that SQLAlchemy speaks: SQLite embedded, PostgreSQL deployed, one code path."""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from dataset_registry.catalog import R, Where
from dataset_registry.records import Record
from dataset_registry.schema_sqlalchemy import TABLES
from service_kit.errors import ResourceExhausted, Unavailable

T = TypeVar("T")

# How often a step starts again because another changed what it had read.
MAX_CONFLICTS = 50

_NOW = {
    "sqlite": sa.text("SELECT (julianday('now') - 2440587.5) * 86400.0"),
    "postgresql": sa.text("SELECT extract(epoch FROM clock_timestamp())"),
}


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Conflict(Exception):
    """A record changed between reading and writing it."""


class SqlTransaction:
    """Reads and writes records on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._time: float | None = None
        self.touched: set[str] = set()

    def now(self) -> float:
        """See `catalog.Transaction`; one time for the whole step."""
        if self._time is None:
            self._time = float(self._connection.execute(_NOW[self._connection.dialect.name]).scalar_one())
        return self._time

    def get(self, kind: type[R], identity: str) -> R | None:
        """See `catalog.Transaction`."""
        table = TABLES[kind]
        row = self._connection.execute(sa.select(table).where(table.c.id == identity)).mappings().first()
        return kind(**row) if row else None

    def put(self, record: R) -> R:
        """See `catalog.Transaction`."""
        table = TABLES[type(record)]
        stored = replace(record, revision=record.revision + 1, update_time=self.now())
        try:
            if record.revision == 0:
                self._connection.execute(sa.insert(table).values(asdict(stored)))
            else:
                changed = self._connection.execute(
                    sa.update(table)
                    .where(table.c.id == record.id, table.c.revision == record.revision)
                    .values(asdict(stored))
                )
                if changed.rowcount != 1:
                    raise Conflict
        except IntegrityError as error:
            raise Conflict from error
        self.touched.add(f"{type(record).__name__}/{record.id}")
        return stored

    def find(
        self,
        kind: type[R],
        *where: Where,
        order: Sequence[str] = ("id",),
        after: Sequence[Any] | None = None,
        limit: int | None = None,
    ) -> list[R]:
        """See `catalog.Transaction`."""
        table = TABLES[kind]
        descending = order[0].startswith("-")
        columns = [table.c[name.removeprefix("-")] for name in order]
        query = sa.select(table).where(*(_condition(table, each) for each in where))
        if after is not None:
            place, mark = sa.tuple_(*columns), sa.tuple_(*(sa.literal(value) for value in after))
            query = query.where(place < mark if descending else place > mark)
        query = query.order_by(*(column.desc() if descending else column for column in columns)).limit(limit)
        return [kind(**row) for row in self._connection.execute(query).mappings()]

    def count(self, kind: type[Record], *where: Where) -> int:
        """See `catalog.Transaction`."""
        table = TABLES[kind]
        query = sa.select(sa.func.count()).select_from(table).where(*(_condition(table, each) for each in where))
        return int(self._connection.execute(query).scalar_one())

    def delete(self, kind: type[Record], *where: Where) -> int:
        """See `catalog.Transaction`."""
        table = TABLES[kind]
        return self._connection.execute(sa.delete(table).where(*(_condition(table, each) for each in where))).rowcount


class SqlCatalog:
    """See `catalog.Catalog`."""

    def __init__(self, url: str) -> None:
        """``url``: an SQLAlchemy URL, for example ``sqlite:////home/anna/darkroom/catalog.sqlite``."""
        self._engine = sa.create_engine(url, pool_pre_ping=not url.startswith("sqlite"), pool_size=8, max_overflow=24)
        self.kind = self._engine.dialect.name
        self._listeners: list[Callable[[set[str]], None]] = []
        # SQLite has one writer anyway: waiting here is fair and costs no polling.
        self._turn: AbstractContextManager[Any] = nullcontext()
        if self._engine.dialect.name == "sqlite":
            self._turn = threading.Lock()
            sa.event.listen(self._engine, "connect", _set_up_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)

    def write(self, step: Callable[[SqlTransaction], T]) -> T:
        """See `catalog.Catalog`."""
        for _ in range(MAX_CONFLICTS):
            try:
                with _translated(), self._turn, self._engine.connect() as connection:
                    writing = connection.execution_options(darkroom_writes=True)
                    with writing.begin():
                        transaction = SqlTransaction(writing)
                        result = step(transaction)
            except Conflict:
                continue
            if transaction.touched:
                for listener in self._listeners:
                    listener(transaction.touched)
            return result
        raise Unavailable("the catalogue is too busy: others kept changing the same rows")

    def read(self, step: Callable[[SqlTransaction], T]) -> T:
        """See `catalog.Catalog`."""
        with _translated(), self._engine.connect() as connection, connection.begin():
            return step(SqlTransaction(connection))

    def on_commit(self, listener: Callable[[set[str]], None]) -> None:
        """See `catalog.Catalog`."""
        self._listeners.append(listener)

    def migrate(self) -> None:
        """Bring the tables up to this code, under a lock; harmless when they are."""
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with _translated(), self._engine.connect() as connection:
            config.attributes["connection"] = connection.execution_options(darkroom_writes=True)
            command.upgrade(config, "head")

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


class _translated(AbstractContextManager[None]):
    """Turns the database's errors into meanings."""

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OperationalError) and "full" in str(error.orig):
            raise ResourceExhausted(
                "the catalogue's disk is full; nothing was written, and it goes on when there is space",
                reason="CATALOG_FULL",
            ) from error
        if isinstance(error, OperationalError | sa.exc.InterfaceError) or (
            isinstance(error, DBAPIError) and error.connection_invalidated
        ):
            raise Unavailable(f"the catalogue does not answer: {error.orig}", reason="CATALOG_AWAY") from error


def _condition(table: sa.Table, where: Where) -> sa.ColumnElement[bool]:
    column: sa.ColumnElement[Any] = table.c[where.column]
    if where.relation == "in":
        return column.in_(list(where.value))
    if where.relation == "prefix":
        # A range and not LIKE: it uses the index, and no character is special.
        return sa.and_(column >= where.value, column < where.value + "\U0010ffff")
    compared: sa.ColumnElement[bool] = _COMPARE[where.relation](column, where.value)
    return compared


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    # Transactions begin in `_begin_sqlite`, not when the driver thinks fit.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes its lock at once: upgrading a read lock later can only fail.
    writes = connection.get_execution_options().get("darkroom_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
