"""Has builds found by when they ended: without the kind in the index SQLite took another one, and read all builds."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

BUILDS = sa.text("kind = 'BUILD'")
COLUMNS = ["kind", "finish_time", "subject", "dataset_name", "requester", "state", "start_time"]


def upgrade() -> None:
    """Expand; never take away what older code reads."""
    op.drop_index("work_usage", "work")
    op.create_index("work_usage", "work", COLUMNS, sqlite_where=BUILDS, postgresql_where=BUILDS)
