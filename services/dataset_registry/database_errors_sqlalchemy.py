"""Turns what databases and their drivers raise into meanings, without a word of an address's secrets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, StatementError

from service_kit.errors import DarkroomError, FailedPrecondition, InvalidArgument, ResourceExhausted, Unavailable

# Another transaction got in the way: serialization failure, deadlock, unique violation.
_CONFLICTS = ("40001", "40P01", "23505")
# The connection or the server ended: classes "connection exception" and "operator intervention", idle too long.
_LOST = ("08", "57P", "25P03")
_NO_TABLE = ("42P01", "42703", "no such table", "no such column", "has no column named")

MIGRATE = "run `python -m dataset_registry migrate` with the registry's settings, then start it again"


class Conflict(Exception):
    """A record changed between reading and writing it."""


class ConnectionLost(Unavailable):
    """The line to the database broke in the middle of a step."""


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Raise what the block's database errors mean; ``place`` names the database in messages."""
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise Unavailable(
            f"the catalogue at {place} is too busy: every connection of this registry is in use", reason="CATALOG_BUSY"
        ) from error
    except DBAPIError as error:
        raise meaning(error, place) or error from error
    except StatementError as error:
        # A value was refused before the database saw it.
        raise error.orig if isinstance(error.orig, DarkroomError) else error from None


def meaning(error: DBAPIError, place: str) -> Exception | None:
    """Return what a database's error means, or None for one that should not happen."""
    text, state = one_line(error.orig), getattr(error.orig, "sqlstate", None) or ""
    if state in _CONFLICTS or "UNIQUE constraint failed" in text:
        return Conflict(text)
    if error.connection_invalidated or state.startswith(_LOST):
        return ConnectionLost(f"the catalogue at {place} does not answer: {text}", reason="CATALOG_AWAY")
    if state in _NO_TABLE or any(words in text for words in _NO_TABLE[2:]):
        return FailedPrecondition(
            f"the catalogue at {place} has not the tables of this version: {MIGRATE}", reason="CATALOG_NOT_MIGRATED"
        )
    if state == "53100" or "database or disk is full" in text:
        return ResourceExhausted(
            "the catalogue's disk is full; nothing was written, and it goes on when there is space",
            reason="CATALOG_FULL",
        )
    if state == "42501":
        return FailedPrecondition(f"the catalogue at {place} forbids it: {text}; its user must own the tables")
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError) or state[:2] in ("53", "55", "57", "25"):
        return Unavailable(f"the catalogue at {place} does not answer: {text}", reason="CATALOG_AWAY")
    if isinstance(error, sa.exc.DataError):
        return InvalidArgument.of([("value", "is none that the catalogue can hold")])
    return None


def one_line(error: BaseException | None) -> str:
    """Return a driver's message as one line of bounded length."""
    return " ".join(str(error).split())[:500]
