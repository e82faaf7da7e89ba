"""What a step may do, by SQLAlchemy Core: reads and writes records on one connection."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

import sqlalchemy as sa

from dataset_registry.among_sqlalchemy import Among
from dataset_registry.catalog import Needs, QueuedWork, QueueLine, R, Where
from dataset_registry.database_errors_sqlalchemy import Conflict
from dataset_registry.database_sqlalchemy import Database
from dataset_registry.records import Record, Work
from dataset_registry.row_values import check_mark, check_value, from_json, to_json
from dataset_registry.schema_sqlalchemy import QUEUED_WORK, TABLES, UNFINISHED_WORK
from dataset_registry.usage import Usage, UsageBy
from dataset_registry.usage_sqlalchemy import add_usage, find_usage

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
# Made once: making a statement takes longer than a database takes to answer it.
_GET = {kind: sa.select(table).where(table.c.id == sa.bindparam("of_id")) for kind, table in TABLES.items()}
_INSERT = {kind: sa.insert(table) for kind, table in TABLES.items()}
_UPDATE = {
    kind: sa.update(table).where(table.c.id == sa.bindparam("of_id"), table.c.revision == sa.bindparam("of_revision"))
    for kind, table in TABLES.items()
}
# In full and not as parameters: else no database knows that a partial index holds what is asked for.
_UNSETTLED = sa.text("""
    SELECT id FROM requests WHERE state IN ('RESOLVING', 'BUILDING') AND state = 'RESOLVING'
    UNION ALL
    SELECT id FROM requests WHERE state = 'BUILDING' AND key NOT IN (SELECT id FROM datasets WHERE state = 'BUILDING')
""")
_UNWANTED = sa.text("""
    SELECT id FROM datasets WHERE state = 'BUILDING'
        AND (idle_since > 0 OR id NOT IN (SELECT key FROM requests WHERE state = 'BUILDING'))
""")


class SqlTransaction:
    """Reads and writes records on one connection."""

    def __init__(self, connection: sa.Connection, database: Database) -> None:
        self._connection = connection
        self._database = database
        self._time: float | None = None
        # What this step has read or written: all of it sees one state, so no row need be read twice.
        self._known: dict[tuple[type[Record], str], Record | None] = {}
        self.touched: set[str] = set()
        self.wrote = False

    def now(self) -> float:
        """See `catalog.Transaction`; one time for the whole step."""
        if self._time is None:
            self._time = self._database.now(self._connection)
        return self._time

    def get(self, kind: type[R], identity: str) -> R | None:
        """See `catalog.Transaction`."""
        if (kind, identity) not in self._known:
            check_value("id", identity)
            row = self._connection.execute(_GET[kind], {"of_id": identity}).one_or_none()
            self._known[kind, identity] = None if row is None else kind(*row)
        return cast("R | None", self._known[kind, identity])

    def put(self, record: R) -> R:
        """See `catalog.Transaction`."""
        kind = type(record)
        table = TABLES[kind]
        stored = replace(record, revision=record.revision + 1, update_time=self.now())
        values = {column.name: getattr(stored, column.name) for column in table.columns}
        for name, value in values.items():
            check_value(name, value, indexed=name in _INDEXED[table])
        self.wrote = True
        if record.revision == 0:
            self._connection.execute(_INSERT[kind], values)
        else:
            same = {"of_id": record.id, "of_revision": record.revision}
            if self._connection.execute(_UPDATE[kind], values | same).rowcount != 1:
                raise Conflict(f"{table.name} {record.id}")
        self._known[kind, record.id] = stored
        self.touched.add(f"{kind.__name__}/{record.id}")
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
        return [kind(*row) for row in self._connection.execute(query)]

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

    def unsettled(self) -> list[str]:
        """See `catalog.Transaction`."""
        return list(self._connection.scalars(_UNSETTLED))

    def unwanted(self) -> list[str]:
        """See `catalog.Transaction`."""
        return list(self._connection.scalars(_UNWANTED))

    def ahead(self, identities: Collection[str]) -> dict[str, int]:
        """See `catalog.Transaction`."""
        work = TABLES[Work].c
        before = sa.func.rank().over(partition_by=work.kind, order_by=work.create_time) - 1
        places = sa.select(work.id, before.label("ahead")).where(QUEUED_WORK).subquery()
        query = sa.select(places).where(_is_among(places.c.id, list(identities)))
        return {row.id: row.ahead for row in self._connection.execute(query)}

    def queued(self, limit: int) -> list[QueuedWork]:
        """See `catalog.Transaction`."""
        work = TABLES[Work].c
        needs = work.kind, work.repository, work.commit, sa.cast(work.raw_names, sa.Text)
        query = sa.select(work.id, work.create_time, work.not_before, *needs)
        found = self._connection.execute(query.where(QUEUED_WORK).order_by(work.create_time, work.id).limit(limit))
        return [
            QueuedWork(identity, _needs(*needs), create_time, not_before)
            for identity, create_time, not_before, *needs in found
        ]

    def usage(self, by: UsageBy, since: float, until: float, after: tuple[int, str] | None, limit: int) -> list[Usage]:
        """See `catalog.Transaction`."""
        return find_usage(self._connection, by, since, until, after, limit)

    def add_usage(self, since: float, until: float) -> None:
        """See `catalog.Transaction`."""
        self.wrote = True
        self._known.clear()
        add_usage(self._connection, since, until, self.now())

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
        self._known.clear()
        return self._connection.execute(sa.delete(table).where(*(_condition(table, each) for each in where))).rowcount


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
        return _is_among(column, list(where.value))
    if where.relation == "prefix":
        # A range and not LIKE: it uses the index, and no character is special.
        return sa.and_(column >= where.value, column < where.value + "\U0010ffff")
    compared: sa.ColumnElement[bool] = _COMPARE[where.relation](column, where.value)
    return compared


@lru_cache(maxsize=1000)
def _needs(kind: str, repository: str, commit: str, raw_names_json: str) -> Needs:
    """Of many works in a queue, most need the same."""
    return Needs(kind, repository, commit, tuple(from_json(raw_names_json)))


def _is_among(column: sa.ColumnElement[Any], values: list[Any]) -> sa.ColumnElement[bool]:
    return column.in_(values) if len(values) <= MANY else Among(column, sa.literal(to_json(values), sa.Text()))
