"""The catalogue's tables, one for each kind of record, with the columns of its fields."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from dataset_registry import records
from dataset_registry.records import Record

metadata = sa.MetaData()

_COLUMN_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    # By code points everywhere: pages, prefixes and their indexes mean the same in every database and locale.
    "str": sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
    "int": sa.BigInteger(),
    "float": sa.Double(),
    "bool": sa.Boolean(),
    "Json": sa.JSON(),
    "list[Json]": sa.JSON(),
    "list[str]": sa.JSON(),
}


def _table(name: str, kind: type[Record], *rest: sa.schema.SchemaItem) -> sa.Table:
    columns = [
        sa.Column(each.name, _COLUMN_TYPES[str(each.type)], primary_key=each.name == "id", nullable=False)
        for each in fields(kind)
    ]
    return sa.Table(name, metadata, *columns, *rest)


# As text: an index on these alone serves only a query that says the same.
UNFINISHED_WORK = sa.text("state IN ('QUEUED', 'RUNNING')")
_ACTIVE = sa.text("state IN ('RESOLVING', 'BUILDING')")
_WAITING = sa.text("state = 'BUILDING'")
QUEUED_WORK = sa.text("state = 'QUEUED'")
_RUNNING = sa.text("state = 'RUNNING'")
_BUILDS = sa.text("kind = 'BUILD'")

TABLES: dict[type[Record], sa.Table] = {
    records.Definition: _table("definitions", records.Definition),
    records.Environment: _table("environments", records.Environment),
    records.Lock: _table("locks", records.Lock),
    records.RawDataset: _table("raw_datasets", records.RawDataset),
    records.Runner: _table("runners", records.Runner),
    records.Request: _table(
        "requests",
        records.Request,
        sa.Index("requests_by_time", "create_time", "id"),
        sa.Index("requests_by_name", "dataset_name", "create_time", "id"),
        sa.Index("requests_by_key", "key"),
        sa.Index("requests_active", "state", "id", sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
        sa.Index("requests_active_by_time", "create_time", "id", sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
        # With the state, that SQLite prefers it to the index of all requests of a key.
        sa.Index("requests_waiting", "key", "state", sqlite_where=_WAITING, postgresql_where=_WAITING),
        sa.Index("requests_usage", "create_time", "dataset_name", "key", "requester", "state", "cached", "joined"),
    ),
    records.Dataset: _table(
        "datasets",
        records.Dataset,
        sa.Index("datasets_by_time", "create_time", "id"),
        sa.Index("datasets_by_name", "dataset_name", "create_time", "id"),
        sa.Index("datasets_by_state", "state", "id"),
        sa.Index("datasets_by_state_and_time", "state", "create_time", "id"),
    ),
    records.Work: _table(
        "work",
        records.Work,
        # The single flight: at most one unfinished piece of work for a subject.
        sa.Index(
            "work_unfinished",
            "kind",
            "subject",
            unique=True,
            sqlite_where=UNFINISHED_WORK,
            postgresql_where=UNFINISHED_WORK,
        ),
        sa.Index("work_running", "lease_until", "id", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
        sa.Index("work_queue", "kind", "create_time", "id", sqlite_where=QUEUED_WORK, postgresql_where=QUEUED_WORK),
        sa.Index("work_by_state", "state", "create_time", "id"),
        sa.Index("work_by_subject", "kind", "subject", "create_time"),
        # With the kind, that SQLite prefers it to the index of all works of a kind.
        sa.Index(
            "work_usage",
            "kind",
            "finish_time",
            "subject",
            "dataset_name",
            "requester",
            "state",
            "start_time",
            sqlite_where=_BUILDS,
            postgresql_where=_BUILDS,
        ),
    ),
    records.Shard: _table("shards", records.Shard, sa.Index("shards_by_key", "key", "split", "index")),
    records.LogPiece: _table("log_pieces", records.LogPiece, sa.Index("log_pieces_by_subject", "subject", "start")),
    records.Download: _table(
        "downloads",
        records.Download,
        sa.Index("downloads_by_key", "key"),
        sa.Index("downloads_usage", "create_time", "key", "dataset_name", "requester", "size_bytes"),
    ),
    records.UsageTotal: _table(
        "usage_totals", records.UsageTotal, sa.Index("usage_totals_by_requests", "by", "request_count", "group")
    ),
    records.UsageMark: _table("usage_marks", records.UsageMark),
}
