"""Orders text by code points in every database, and gives the lists that grow an index each."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ACTIVE = sa.text("state IN ('RESOLVING', 'BUILDING')")
WAITING = sa.text("state = 'BUILDING'")
TEXT_COLUMNS = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'
    ORDER BY table_name, ordinal_position
"""


def upgrade() -> None:
    """Expand; never take away what older code reads."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        changes: dict[str, list[str]] = {}
        for table, column in connection.execute(sa.text(TEXT_COLUMNS)):
            changes.setdefault(table, []).append(f'ALTER COLUMN "{column}" TYPE text COLLATE "C"')
        for table, columns in changes.items():
            op.execute(f'ALTER TABLE "{table}" {", ".join(columns)}')
    op.create_index(
        "requests_active_by_time",
        "requests",
        ["create_time", "id"],
        sqlite_where=ACTIVE,
        postgresql_where=ACTIVE,
    )
    op.create_index("requests_waiting", "requests", ["key"], sqlite_where=WAITING, postgresql_where=WAITING)
    op.create_index("datasets_by_state_and_time", "datasets", ["state", "create_time", "id"])
