"""The catalogue's questions as SQL, each made once: making a statement takes longer than a database takes to answer it.

A statement depends on the shape of its conditions alone; their values are its parameters.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from dataset_registry.among_sqlalchemy import Among
from dataset_registry.catalog import Where
from dataset_registry.records import Work
from dataset_registry.row_values import check_value, to_json
from dataset_registry.schema_sqlalchemy import QUEUED_WORK, TABLES, UNFINISHED_WORK

# Databases limit how many parameters a query may have, and so many take long to read: more values come as one.
MANY = 50
SHAPES = 1000

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
GET = {kind: sa.select(table).where(table.c.id == sa.bindparam("of_id")) for kind, table in TABLES.items()}
INSERT = {kind: sa.insert(table) for kind, table in TABLES.items()}
UPDATE = {
    kind: sa.update(table).where(table.c.id == sa.bindparam("of_id"), table.c.revision == sa.bindparam("of_revision"))
    for kind, table in TABLES.items()
}
# In full and not as parameters: else no database knows that a partial index holds what is asked for.
UNSETTLED = sa.text("""
    SELECT id FROM requests WHERE state IN ('RESOLVING', 'BUILDING') AND state = 'RESOLVING'
    UNION ALL
    SELECT id FROM requests WHERE state = 'BUILDING' AND key NOT IN (SELECT id FROM datasets WHERE state = 'BUILDING')
""")
UNWANTED = sa.text("""
    SELECT id FROM datasets WHERE state = 'BUILDING'
        AND (idle_since > 0 OR id NOT IN (SELECT key FROM requests WHERE state = 'BUILDING'))
""")

_WORK = TABLES[Work].c
QUEUE = (
    sa.select(_WORK.kind, _WORK.state, sa.func.count(), sa.func.min(_WORK.create_time))
    .where(UNFINISHED_WORK)
    .group_by(_WORK.kind, _WORK.state)
)
QUEUED = (
    sa.select(
        _WORK.id,
        _WORK.create_time,
        _WORK.not_before,
        _WORK.kind,
        _WORK.repository,
        _WORK.commit,
        sa.cast(_WORK.raw_names, sa.Text),
    )
    .where(QUEUED_WORK)
    .order_by(_WORK.create_time, _WORK.id)
    .limit(sa.bindparam("limit", type_=sa.Integer()))
)
_PLACES = sa.select(
    _WORK.id, (sa.func.rank().over(partition_by=_WORK.kind, order_by=_WORK.create_time) - 1).label("ahead")
).where(QUEUED_WORK)


class Shape(NamedTuple):
    """A condition without its values; ``words`` belong to the statement itself."""

    column: str
    relation: str
    words: tuple[str, ...] = ()


def shaped(conditions: Iterable[Where]) -> tuple[tuple[Shape, ...], dict[str, Any]]:
    """Return the shapes of conditions, and the values of their parameters.

    Raises `InvalidArgument` for a value that not every database takes.
    """
    values: dict[str, Any] = {}
    return tuple(_shape(each, f"value_{number}", values) for number, each in enumerate(conditions)), values


@lru_cache(SHAPES)
def find(table: sa.Table, shapes: tuple[Shape, ...], order: tuple[str, ...], behind: bool, limited: bool) -> Any:
    """Return the SELECT of records; ``after_0``, ``after_1``... is the mark behind which they come."""
    descending = bool(order) and order[0].startswith("-")
    columns = columns_of(table, order)
    query = sa.select(table).where(*_conditions(table, shapes))
    if behind:
        place = sa.tuple_(*columns)
        mark = sa.tuple_(*(sa.bindparam(f"after_{number}", type_=each.type) for number, each in enumerate(columns)))
        query = query.where(place < mark if descending else place > mark)
    query = query.order_by(*(column.desc() if descending else column for column in columns))
    return query.limit(sa.bindparam("limit", type_=sa.Integer())) if limited else query


def columns_of(table: sa.Table, order: Sequence[str]) -> list[sa.Column[Any]]:
    """Return the columns that an order names."""
    return [table.c[name.removeprefix("-")] for name in order]


@lru_cache(SHAPES)
def revisions(table: sa.Table, shapes: tuple[Shape, ...]) -> Any:
    """Return the SELECT of ids and revisions."""
    return sa.select(table.c.id, table.c.revision).where(*_conditions(table, shapes))


@lru_cache(SHAPES)
def ahead(shapes: tuple[Shape, ...]) -> Any:
    """Return the SELECT of ids of queued works, and how many of their kind came before each."""
    places = _PLACES.subquery()
    return sa.select(places).where(*_conditions(places, shapes))


@lru_cache(SHAPES)
def count(table: sa.Table, shapes: tuple[Shape, ...]) -> Any:
    """Return the SELECT of how many records there are."""
    return sa.select(sa.func.count()).select_from(table).where(*_conditions(table, shapes))


@lru_cache(SHAPES)
def counts(table: sa.Table, column: str, shapes: tuple[Shape, ...]) -> Any:
    """Return the SELECT of a column's values, and how many records have each."""
    values = table.c[column]
    return sa.select(values, sa.func.count()).where(*_conditions(table, shapes)).group_by(values)


@lru_cache(SHAPES)
def delete(table: sa.Table, shapes: tuple[Shape, ...]) -> Any:
    """Return the DELETE of records."""
    return sa.delete(table).where(*_conditions(table, shapes))


def _shape(where: Where, name: str, values: dict[str, Any]) -> Shape:
    given = list(where.value) if where.relation == "in" else [where.value]
    for value in given:
        check_value(where.column, value)
    if given and where.relation in ("=", "in") and _are_words(where.column, given):
        return Shape(where.column, "in", tuple(given))
    match where.relation:
        case "in" if len(given) == 1:
            values[name] = given[0]
            return Shape(where.column, "=")
        case "in" if len(given) > MANY:
            values[name] = to_json(given)
            return Shape(where.column, "among")
        case "in":
            values[name] = given
        case "prefix":
            # A range and not LIKE: it uses the index, and no character is special.
            values[name], values[f"{name}_end"] = where.value, where.value + "\U0010ffff"
        case _:
            values[name] = where.value
    return Shape(where.column, where.relation)


def _are_words(column: str, given: Sequence[Any]) -> bool:
    """Whether values are shown in full: else no database knows that a partial index holds what is asked for."""
    of_us = column == "state" or all(isinstance(each, StrEnum) for each in given)
    return of_us and all(isinstance(each, str) and each.isidentifier() for each in given)


def _conditions(table: sa.FromClause, shapes: Iterable[Shape]) -> list[sa.ColumnElement[bool]]:
    return [_condition(table.c[each.column], each, f"value_{number}") for number, each in enumerate(shapes)]


def _condition(column: sa.ColumnElement[Any], shape: Shape, name: str) -> sa.ColumnElement[bool]:
    value: Any = sa.bindparam(name, type_=column.type, expanding=shape.relation == "in")
    match shape.relation:
        case "in" if len(shape.words) == 1:
            return column == _word(shape.words[0])
        case "in":
            return column.in_([_word(each) for each in shape.words] if shape.words else value)
        case "among":
            return Among(column, sa.bindparam(name, type_=sa.Text()))
        case "prefix":
            return sa.and_(column >= value, column < sa.bindparam(f"{name}_end", type_=column.type))
    compared: sa.ColumnElement[bool] = _COMPARE[shape.relation](column, value)
    return compared


def _word(word: str) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{word}'", sa.Text())
