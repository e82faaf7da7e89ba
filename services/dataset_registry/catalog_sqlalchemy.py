"""The catalogue in a database that SQLAlchemy speaks: SQLite embedded, PostgreSQL deployed, one code path."""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import sqlalchemy as sa

from dataset_registry.among_sqlalchemy import Among
from dataset_registry.catalog import QueueLine, R, Where
from dataset_registry.database_errors_sqlalchemy import Conflict, ConnectionLost, translated
from dataset_registry.database_sqlalchemy import BUSY_S, CONNECTIONS, open_database
from dataset_registry.migrating_sqlalchemy import check_migrated, migrate
from dataset_registry.records import Record, Work
from dataset_registry.row_values import check_mark, check_value, to_json
from dataset_registry.schema_sqlalchemy import TABLES, UNFINISHED_WORK
from dataset_registry.usage import Usage, UsageBy
from dataset_registry.usage_sqlalchemy import find_usage
from service_kit.errors import Unavailable

T = TypeVar("T")

# How often a step starts again because another changed what it had read, and how many of its tries run beside others:
# then it waits until it is alone, which cannot conflict. More would only be done in vain: a crowd that asks for one
# dataset was twice as slow with three.
MAX_CONFLICTS = 50
TOGETHER = 1
# How long closing waits for steps that are under way.
LAST_STEPS_S = 10.0
# How often a step starts again whose line to the database broke before it committed.
MAX_LOST = 2
# Databases limit how many parameters a query may have, and so many take long to read: more values come as one.
MANY = 50

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_INDEXED = {
    table: {"id", *(column.name for index in table.indexes for column in index.columns)} for table in TABLES.values()
}


class SqlTransaction:
    """Reads and writes records on one connection."""

    def __init__(self, connection: sa.Connection, now: str) -> None:
        self._connection = connection
        self._now = now
        self._time: float | None = None
        self.touched: set[str] = set()
        self.wrote = False

    def now(self) -> float:
        """See `catalog.Transaction`; one time for the whole step."""
        if self._time is None:
            self._time = float(self._connection.exec_driver_sql(self._now).scalar_one())
        return self._time

    def get(self, kind: type[R], identity: str) -> R | None:
        """See `catalog.Transaction`."""
        found = self.find(kind, Where("id", "=", identity), order=())
        return found[0] if found else None

    def put(self, record: R) -> R:
        """See `catalog.Transaction`."""
        table = TABLES[type(record)]
        stored = replace(record, revision=record.revision + 1, update_time=self.now())
        values = {column.name: getattr(stored, column.name) for column in table.columns}
        for name, value in values.items():
            check_value(name, value, indexed=name in _INDEXED[table])
        self.wrote = True
        if record.revision == 0:
            self._connection.execute(sa.insert(table).values(values))
        else:
            same = table.c.id == record.id, table.c.revision == record.revision
            if self._connection.execute(sa.update(table).where(*same).values(values)).rowcount != 1:
                raise Conflict(f"{table.name} {record.id}")
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
        descending = bool(order) and order[0].startswith("-")
        columns = [table.c[name.removeprefix("-")] for name in order]
        query = sa.select(table).where(*(_condition(table, each) for each in where))
        if after is not None:
            check_mark([column.type.python_type for column in columns], after)
            place = sa.tuple_(*columns)
            mark = sa.tuple_(*(sa.literal(value, column.type) for value, column in zip(after, columns, strict=True)))
            query = query.where(place < mark if descending else place > mark)
        query = query.order_by(*(column.desc() if descending else column for column in columns)).limit(limit)
        return [kind(**row) for row in self._connection.execute(query).mappings()]

    def revisions(self, kind: type[Record], identities: Collection[str]) -> dict[str, int]:
        """See `catalog.Transaction`."""
        table = TABLES[kind]
        query = sa.select(table.c.id, table.c.revision).where(_condition(table, Where("id", "in", list(identities))))
        return {row.id: row.revision for row in self._connection.execute(query)}

    def queue(self) -> list[QueueLine]:
        """See `catalog.Transaction`."""
        work = TABLES[Work]
        columns = work.c.kind, work.c.state, sa.func.count(), sa.func.min(work.c.create_time)
        query = sa.select(*columns).where(UNFINISHED_WORK).group_by(work.c.kind, work.c.state)
        return [QueueLine(*row) for row in self._connection.execute(query)]

    def usage(self, by: UsageBy, since: float, until: float, after: tuple[int, str] | None, limit: int) -> list[Usage]:
        """See `catalog.Transaction`."""
        return find_usage(self._connection, by, since, until, after, limit)

    def count(self, kind: type[Record], *where: Where) -> int:
        """See `catalog.Transaction`."""
        table = TABLES[kind]
        query = sa.select(sa.func.count()).select_from(table).where(*(_condition(table, each) for each in where))
        return int(self._connection.execute(query).scalar_one())

    def counts(self, kind: type[Record], column: str, values: Collection[str], *where: Where) -> dict[str, int]:
        """See `catalog.Transaction`."""
        table = TABLES[kind]
        every = Where(column, "in", values), *where
        query = sa.select(table.c[column], sa.func.count()).where(*(_condition(table, each) for each in every))
        return {row[0]: row[1] for row in self._connection.execute(query.group_by(table.c[column]))}

    def delete(self, kind: type[Record], *where: Where) -> int:
        """See `catalog.Transaction`."""
        table = TABLES[kind]
        self.wrote = True
        return self._connection.execute(sa.delete(table).where(*(_condition(table, each) for each in where))).rowcount


class SqlCatalog:
    """See `catalog.Catalog`."""

    def __init__(self, url: str, connections: int = CONNECTIONS, busy_s: float = BUSY_S) -> None:
        """``url``: an SQLAlchemy URL, for example ``sqlite:////home/anna/darkroom/catalog.sqlite``.

        Raises `InvalidArgument` for what is none, saying what would do. Nothing is opened before it is needed.
        """
        self._database = open_database(url, connections, busy_s)
        self.kind = self._database.engine.dialect.name
        self.place = self._database.place
        self._listeners: list[Callable[[set[str]], None]] = []
        self._steps = 0
        self._ended = threading.Condition()

    def write(self, step: Callable[[SqlTransaction], T]) -> T:
        """See `catalog.Catalog`."""
        conflicts = lost = 0
        while conflicts < MAX_CONFLICTS:
            transaction, complete = None, False
            try:
                with self._counted(), self._database.writing(alone=conflicts >= TOGETHER) as connection:
                    transaction = SqlTransaction(connection, self._database.now)
                    result = step(transaction)
                    complete = True
            except Conflict:
                conflicts += 1
                continue
            except ConnectionLost:
                lost += 1
                # Nobody knows whether a commit without an answer took place: doing it again might do it twice.
                if lost > MAX_LOST or (complete and transaction is not None and transaction.wrote):
                    raise
                continue
            if transaction.touched:
                for listener in self._listeners:
                    listener(transaction.touched)
            return result
        raise Unavailable("the catalogue is too busy: others kept changing the same rows", reason="CATALOG_BUSY")

    def read(self, step: Callable[[SqlTransaction], T]) -> T:
        """See `catalog.Catalog`."""
        lost = 0
        while True:
            try:
                with self._counted(), self._database.reading() as connection:
                    return step(SqlTransaction(connection, self._database.now))
            except (Conflict, ConnectionLost):
                lost += 1
                if lost > MAX_LOST:
                    raise

    def on_commit(self, listener: Callable[[set[str]], None]) -> None:
        """See `catalog.Catalog`."""
        self._listeners.append(listener)

    def migrate(self, revision: str = "head") -> str:
        """Bring the tables up to this code, or to a revision; returns the revision at which they were before."""
        return migrate(self._database, revision)

    def check_migrated(self) -> str:
        """Return the tables' revision. Raises `FailedPrecondition` when it is older than this code."""
        return check_migrated(self._database)

    def close(self) -> None:
        """Close every connection, once the steps that are under way have ended, or soon."""
        with self._ended:
            self._ended.wait_for(lambda: not self._steps, LAST_STEPS_S)
        self._database.engine.dispose()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._ended:
            self._steps += 1
        try:
            with translated(self._database.place):
                yield
        finally:
            with self._ended:
                self._steps -= 1
                self._ended.notify_all()


def _condition(table: sa.Table, where: Where) -> sa.ColumnElement[bool]:
    column: sa.ColumnElement[Any] = table.c[where.column]
    for value in where.value if where.relation == "in" else [where.value]:
        check_value(where.column, value)
    if where.column == "state":
        # In full and not as parameters: else no database knows that a partial index holds what is asked for.
        states = list(where.value) if where.relation == "in" else where.value
        shown = sa.bindparam(None, states, column.type, expanding=where.relation == "in", literal_execute=True)
        return column.in_(shown) if where.relation == "in" else column == shown
    if where.relation == "in":
        values = list(where.value)
        return column.in_(values) if len(values) <= MANY else Among(column, sa.literal(to_json(values), sa.Text()))
    if where.relation == "prefix":
        # A range and not LIKE: it uses the index, and no character is special.
        return sa.and_(column >= where.value, column < where.value + "\U0010ffff")
    compared: sa.ColumnElement[bool] = _COMPARE[where.relation](column, where.value)
    return compared
