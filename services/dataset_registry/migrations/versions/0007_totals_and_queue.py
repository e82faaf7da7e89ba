"""Keeps the sums of usage that no longer change, and the queue in an index of its own: neither reads all rows again."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WAITING = sa.text("state = 'BUILDING'")
QUEUED = sa.text("state = 'QUEUED'")
COUNTS = ("request_count", "hit_count", "joined_count", "build_count", "download_count", "download_bytes")
TABLES: dict[str, dict[str, sa.types.TypeEngine[Any]]] = {
    "usage_totals": {
        **dict.fromkeys(("by", "group", "dataset_name"), TEXT),
        **dict.fromkeys(COUNTS, sa.BigInteger()),
        "build_s": sa.Double(),
    },
    "usage_marks": {"until_time": sa.Double()},
}


def upgrade() -> None:
    """Expand; never take away what older code reads."""
    for table, columns in TABLES.items():
        first = sa.Column("id", TEXT, primary_key=True), sa.Column("revision", sa.BigInteger(), nullable=False)
        named = [sa.Column(name, kind, nullable=False) for name, kind in columns.items()]
        op.create_table(table, *first, sa.Column("update_time", sa.Double(), nullable=False), *named)
    op.create_index("work_queue", "work", ["kind", "create_time", "id"], sqlite_where=QUEUED, postgresql_where=QUEUED)
    op.drop_index("requests_waiting", "requests")
    op.create_index("requests_waiting", "requests", ["key", "state"], sqlite_where=WAITING, postgresql_where=WAITING)
    op.create_index("usage_totals_by_requests", "usage_totals", ["by", "request_count", "group"])
