"""Says of requests and work which span of a trace caused them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Expand; never take away what older code reads."""
    for table in ("requests", "work"):
        # The default is for rows that are there, and for those that older code writes.
        op.add_column(table, sa.Column("trace_parent", TEXT, nullable=False, server_default=""))
