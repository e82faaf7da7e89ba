"""Finds the work whose lease has ended without reading all that was ever done."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

RUNNING = sa.text("state = 'RUNNING'")


def upgrade() -> None:
    """Expand; never take away what older code reads."""
    op.create_index("work_running", "work", ["lease_until", "id"], sqlite_where=RUNNING, postgresql_where=RUNNING)
