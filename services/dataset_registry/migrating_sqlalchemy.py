"""Brings a catalogue's tables up to this code, once however many begin it, and tells whether they are."""

from __future__ import annotations

from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from dataset_registry.database_errors_sqlalchemy import MIGRATE, Conflict, translated
from dataset_registry.database_sqlalchemy import Database
from service_kit.errors import FailedPrecondition, Unavailable

log = structlog.get_logger()

# A reader may stand in a deadlock with the change of a table: the change then starts again.
_TRIES = 5


def migrate(database: Database, revision: str = "head") -> str:
    """Bring the tables up to a revision, all or nothing, and return the revision at which they were before.

    Harmless when they are there already, or when newer code has migrated them: migrations only expand.
    """
    config = _config()
    for _ in range(_TRIES):
        try:
            with translated(database.place), database.migrating() as connection:
                before = _revision(MigrationContext.configure(connection))
                if not _is_newer(before):
                    config.attributes["connection"] = connection
                    command.upgrade(config, revision)
                return before
        except Conflict:
            continue
    raise Unavailable(f"the catalogue at {database.place} is too busy to change its tables; try again")


def check_migrated(database: Database) -> str:
    """Return the tables' revision; newer ones than this code's are welcome.

    Raises `FailedPrecondition`, saying what would do, for older ones.
    """
    with translated(database.place), database.reading() as connection:
        found = _revision(MigrationContext.configure(connection))
    head = ScriptDirectory.from_config(_config()).get_current_head() or ""
    if _is_newer(found):
        log.warning("catalogue_is_newer", revision=found, known=head)
    elif found != head:
        stands = f"stands at revision {found}, this version needs {head}" if found else "has no tables yet"
        raise FailedPrecondition(
            f"the catalogue at {database.place} {stands}: {MIGRATE}", reason="CATALOG_NOT_MIGRATED"
        )
    return found


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _revision(context: MigrationContext) -> str:
    return context.get_current_revision() or ""


def _is_newer(revision: str) -> bool:
    """Whether this code does not know the revision: only newer code can have made it."""
    known = {each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions()}
    return bool(revision) and revision not in known
