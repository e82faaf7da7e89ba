"""Keeps the locks of environments, and how well each runner confines foreign code."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Expand; never take away what older code reads."""
    op.create_table(
        "locks",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("update_time", sa.Double(), nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    # The default is for rows that are there, and for those that older code writes.
    op.add_column("runners", sa.Column("sandbox", TEXT, nullable=False, server_default=""))
