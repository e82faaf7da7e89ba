"""What a step may do, by SQLAlchemy Core: reads and writes records on one connection."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

import sqlalchemy as sa

from dataset_registry import statements_sqlalchemy as statements
from dataset_registry.catalog import Needs, QueuedWork, QueueLine, R, Where
from dataset_registry.database_errors_sqlalchemy import Conflict
from dataset_registry.database_sqlalchemy import Database
from dataset_registry.records import Record
from dataset_registry.row_values import check_mark, check_value, from_json
from dataset_registry.schema_sqlalchemy import TABLES
from dataset_registry.statements_sqlalchemy import shaped
from dataset_registry.usage import Usage, UsageBy
from dataset_registry.usage_sqlalchemy import add_usage, find_usage

_INDEXED = {
    table: {"id", *(column.name for index in table.indexes for column in index.columns)} for table in TABLES.values()
}


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
            row = self._connection.execute(statements.GET[kind], {"of_id": identity}).one_or_none()
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
            self._connection.execute(statements.INSERT[kind], values)
        else:
            same = {"of_id": record.id, "of_revision": record.revision}
            if self._connection.execute(statements.UPDATE[kind], values | same).rowcount != 1:
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
        shapes, values = shaped(where)
        if after is not None:
            check_mark([column.type.python_type for column in statements.columns_of(TABLES[kind], order)], after)
            values |= {f"after_{number}": value for number, value in enumerate(after)}
        if limit is not None:
            values["limit"] = limit
        query = statements.find(TABLES[kind], shapes, tuple(order), after is not None, limit is not None)
        return [kind(*row) for row in self._connection.execute(query, values)]

    def revisions(self, kind: type[Record], identities: Collection[str]) -> dict[str, int]:
        """See `catalog.Transaction`."""
        shapes, values = shaped([Where("id", "in", identities)])
        query = statements.revisions(TABLES[kind], shapes)
        return {row.id: row.revision for row in self._connection.execute(query, values)}

    def queue(self) -> list[QueueLine]:
        """See `catalog.Transaction`."""
        return [QueueLine(*row) for row in self._connection.execute(statements.QUEUE)]

    def unsettled(self) -> list[str]:
        """See `catalog.Transaction`."""
        return list(self._connection.scalars(statements.UNSETTLED))

    def unwanted(self) -> list[str]:
        """See `catalog.Transaction`."""
        return list(self._connection.scalars(statements.UNWANTED))

    def ahead(self, identities: Collection[str]) -> dict[str, int]:
        """See `catalog.Transaction`."""
        shapes, values = shaped([Where("id", "in", identities)])
        return {row.id: row.ahead for row in self._connection.execute(statements.ahead(shapes), values)}

    def queued(self, limit: int) -> list[QueuedWork]:
        """See `catalog.Transaction`."""
        found = self._connection.execute(statements.QUEUED, {"limit": limit})
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
        shapes, values = shaped(where)
        return int(self._connection.execute(statements.count(TABLES[kind], shapes), values).scalar_one())

    def counts(self, kind: type[Record], column: str, values: Collection[str], *where: Where) -> dict[str, int]:
        """See `catalog.Transaction`."""
        shapes, given = shaped([Where(column, "in", values), *where])
        query = statements.counts(TABLES[kind], column, shapes)
        return {row[0]: row[1] for row in self._connection.execute(query, given)}

    def delete(self, kind: type[Record], *where: Where) -> int:
        """See `catalog.Transaction`."""
        shapes, values = shaped(where)
        self.wrote = True
        self._known.clear()
        return self._connection.execute(statements.delete(TABLES[kind], shapes), values).rowcount


@lru_cache(maxsize=1000)
def _needs(kind: str, repository: str, commit: str, raw_names_json: str) -> Needs:
    """Of many works in a queue, most need the same."""
    return Needs(kind, repository, commit, tuple(from_json(raw_names_json)))
