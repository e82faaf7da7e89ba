"""How many bytes a catalogue's tables and their indexes take."""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa

from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.schema_sqlalchemy import metadata

_SQLITE = """
    SELECT tbl_name, type, sum(pgsize) FROM dbstat JOIN sqlite_master USING (name)
    WHERE aggregate = TRUE GROUP BY tbl_name, type
"""
_POSTGRESQL = """
    SELECT relname, 'table', pg_table_size(oid) FROM pg_class WHERE relkind = 'r'
    UNION ALL SELECT relname, 'index', pg_indexes_size(oid) FROM pg_class WHERE relkind = 'r'
"""
# Of fewer rows an empty page would be the greater part.
FEW = 1000


def sizes(catalog: SqlCatalog) -> dict[str, tuple[int, int, int]]:
    """Return the rows, their bytes and the bytes of their indexes, by table; tables with few rows are left out."""
    found = {}
    with catalog._database.reading() as connection:
        taken: Counter[tuple[str, str]] = Counter()
        for table_name, kind, size_bytes in connection.exec_driver_sql(
            _POSTGRESQL if catalog.kind == "postgresql" else _SQLITE
        ):
            taken[table_name, kind] += int(size_bytes)
        for table in metadata.tables.values():
            rows = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            if rows >= FEW:
                found[table.name] = (rows, taken[table.name, "table"], taken[table.name, "index"])
    return found
