"""Asks whether a column is one of very many texts, with one parameter in the query however many they are."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles


class Among(sa.sql.expression.ColumnElement[bool]):
    """Whether a column is one of the texts in a JSON list."""

    inherit_cache = True
    _traverse_internals: ClassVar = [  # type: ignore[misc]
        ("column", sa.sql.visitors.InternalTraversal.dp_clauseelement),
        ("texts", sa.sql.visitors.InternalTraversal.dp_clauseelement),
    ]
    type = sa.Boolean()

    def __init__(self, column: sa.ColumnElement[Any], texts: sa.ColumnElement[str]) -> None:
        self.column, self.texts = column, texts

    def self_group(self, against: Any = None) -> Among:
        """Return itself: the comparison with 1 that SQLite would get among other conditions keeps it from the index."""
        return self


@compiles(Among, "sqlite")
def _among_in_sqlite(element: Among, compiler: Any, **options: Any) -> str:
    column, texts = (compiler.process(each, **options) for each in (element.column, element.texts))
    return f"{column} IN (SELECT value FROM json_each({texts}))"


@compiles(Among, "postgresql")
def _among_in_postgresql(element: Among, compiler: Any, **options: Any) -> str:
    column, texts = (compiler.process(each, **options) for each in (element.column, element.texts))
    return f"{column} = ANY (ARRAY(SELECT json_array_elements_text({texts}::json)))"
