"""Says of work and downloads for which dataset name and whom, and of requests and work how logs call them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BUILDS = sa.text("kind = 'BUILD'")
COLUMNS = {"requests": ["log_id"], "work": ["dataset_name", "requester", "log_id"], "downloads": ["dataset_name"]}


def upgrade() -> None:
    """Expand; never take away what older code reads."""
    for table, names in COLUMNS.items():
        for name in names:
            # The default is for rows that are there, and for those that older code writes.
            op.add_column(table, sa.Column(name, TEXT, nullable=False, server_default=""))
    asked = ["create_time", "dataset_name", "key", "requester", "state", "cached", "joined"]
    op.create_index("requests_usage", "requests", asked)
    built = ["finish_time", "subject", "dataset_name", "requester", "state", "start_time"]
    op.create_index("work_usage", "work", built, sqlite_where=BUILDS, postgresql_where=BUILDS)
    op.create_index("downloads_usage", "downloads", ["create_time", "key", "dataset_name", "requester", "size_bytes"])
