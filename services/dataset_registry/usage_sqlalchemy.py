"""Sums usage inside the database, from the rows that requests, builds and downloads leave anyway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from dataset_registry.records import Dataset, Download, Request, UsageTotal, Work
from dataset_registry.row_values import check_mark
from dataset_registry.schema_sqlalchemy import TABLES
from dataset_registry.states import RequestState, WorkKind, WorkState
from dataset_registry.usage import Usage, UsageBy

Column = sa.ColumnElement[Any]

_REQUESTS, _WORK, _DOWNLOADS, _DATASETS = (TABLES[kind] for kind in (Request, Work, Download, Dataset))
_TOTALS = TABLES[UsageTotal]
_INSERT: Mapping[str, Callable[[sa.Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_SUMS = ("request_count", "hit_count", "joined_count", "build_count", "build_s", "download_count", "download_bytes")


def find_usage(
    connection: sa.Connection,
    by: UsageBy,
    since: float,
    until: float,
    after: tuple[int, str] | None,
    limit: int,
) -> list[Usage]:
    """See `catalog.Transaction.usage`."""
    lines = _lines(by, since, until)
    place = sa.tuple_(lines.c.request_count, lines.c.group)
    query = sa.select(lines).order_by(lines.c.request_count.desc(), lines.c.group.desc()).limit(limit)
    if after is not None:
        check_mark([int, str], after)
        query = query.where(place < sa.tuple_(sa.literal(after[0]), sa.literal(after[1])))
    return [_usage(dict(row)) for row in connection.execute(query).mappings()]


def add_usage(connection: sa.Connection, since: float, until: float, now: float) -> None:
    """See `catalog.Transaction.add_usage`; ``now`` becomes the rows' time."""
    for by in UsageBy:
        lines = _lines(by, since, until).c
        columns: dict[str, Column] = {
            "id": sa.literal(f"{by}/") + lines.group,
            "revision": sa.literal(1),
            "update_time": sa.literal(now),
            "by": sa.literal(by),
            **{name: lines[name] for name in ("group", "dataset_name", *_SUMS)},
        }
        # SQLite takes the ON behind a query without a WHERE for that of a join.
        query = sa.select(*list(columns.values())).where(sa.text("1 = 1"))
        insert = _INSERT[connection.dialect.name](_TOTALS).from_select(list(columns), query)
        new = insert.excluded
        sums: dict[str, Column] = {name: _TOTALS.c[name] + new[name] for name in ("revision", *_SUMS)}
        larger = sa.case((_TOTALS.c.dataset_name > new.dataset_name, _TOTALS.c.dataset_name), else_=new.dataset_name)
        same = {"update_time": new.update_time, "dataset_name": larger}
        connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=sums | same))


def _lines(by: UsageBy, since: float, until: float) -> sa.Subquery:
    parts = sa.union_all(*(each(by, since, until) for each in (_asked, _built, _downloaded))).subquery()
    sums = [sa.func.sum(parts.c[name]).label(name) for name in _SUMS]
    name = sa.func.max(parts.c.dataset_name).label("dataset_name")
    return sa.select(parts.c.group, name, *sums).group_by(parts.c.group).subquery()


def _asked(by: UsageBy, since: float, until: float) -> sa.Select[Any]:
    table = _REQUESTS.c
    hit = sa.and_(table.state == RequestState.READY, table.cached)
    columns = {UsageBy.DATASET: table.key, UsageBy.NAME: table.dataset_name, UsageBy.REQUESTER: table.requester}
    query = _part(
        columns[by],
        table.dataset_name,
        request_count=sa.func.count(),
        hit_count=_count_if(hit),
        joined_count=_count_if(table.joined),
    )
    return query.where(table.create_time >= since, table.create_time < until, *_named(by, table.key))


def _built(by: UsageBy, since: float, until: float) -> sa.Select[Any]:
    table = _WORK.c
    # Rows of an earlier version do not say for whom they were; the dataset does, while it is known.
    name, requester = (
        _else(table.dataset_name, _DATASETS.c.dataset_name, table.subject),
        _else(table.requester, _DATASETS.c.started_by, table.subject),
    )
    columns: dict[UsageBy, Column] = {UsageBy.DATASET: table.subject, UsageBy.NAME: name, UsageBy.REQUESTER: requester}
    query = _part(
        columns[by],
        name,
        build_count=_count_if(table.state == WorkState.DONE),
        build_s=sa.func.sum(sa.case((table.start_time > 0, table.finish_time - table.start_time), else_=0.0)),
    )
    # The kind as text: an index on builds alone serves only a query that says so where it is planned.
    ended = sa.literal_column(f"'{WorkKind.BUILD}'") == table.kind, table.finish_time > 0
    return query.where(*ended, table.finish_time >= since, table.finish_time < until)


def _downloaded(by: UsageBy, since: float, until: float) -> sa.Select[Any]:
    table = _DOWNLOADS.c
    name = _else(table.dataset_name, _DATASETS.c.dataset_name, table.key)
    columns: dict[UsageBy, Column] = {
        UsageBy.DATASET: table.key,
        UsageBy.NAME: name,
        UsageBy.REQUESTER: table.requester,
    }
    query = _part(columns[by], name, download_count=sa.func.count(), download_bytes=sa.func.sum(table.size_bytes))
    return query.where(table.create_time >= since, table.create_time < until)


def _part(group: Column, name: Column, **sums: Column) -> sa.Select[Any]:
    """Return one table's sums, with zero for what other tables know."""
    zero: Mapping[str, Column] = {each: sa.literal(0.0 if each == "build_s" else 0) for each in _SUMS}
    columns = [sums.get(each, zero[each]).label(each) for each in _SUMS]
    return sa.select(group.label("group"), sa.func.max(name).label("dataset_name"), *columns).group_by(group)


def _count_if(condition: Column) -> Column:
    return sa.func.sum(sa.case((condition, 1), else_=0))


def _else(column: Column, other: Column, key: Column) -> Column:
    """Return the column, or what the dataset says instead: only for rows that need it is that looked for."""
    of_dataset = sa.select(other).where(_DATASETS.c.id == key).scalar_subquery()
    return sa.case((column != "", column), else_=sa.func.coalesce(of_dataset, ""))


def _named(by: UsageBy, key: Column) -> list[Column]:
    """A request that never had a key belongs to no dataset."""
    return [key != ""] if by is UsageBy.DATASET else []


def _usage(row: Mapping[str, Any]) -> Usage:
    counts = {name: float(row[name]) if name == "build_s" else int(row[name]) for name in _SUMS}
    return Usage(group=row["group"], dataset_name=row["dataset_name"], **counts)  # type: ignore[arg-type]
