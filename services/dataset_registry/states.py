"""The words for where requests, datasets and work stand, and which of them are final."""

from __future__ import annotations

from enum import StrEnum


class RequestState(StrEnum):
    """Where one caller's interest stands."""

    RESOLVING = "RESOLVING"
    BUILDING = "BUILDING"
    READY = "READY"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"

    @property
    def final(self) -> bool:
        """Whether it will not change any more."""
        return self not in (RequestState.RESOLVING, RequestState.BUILDING)


class DatasetState(StrEnum):
    """Where a dataset stands."""

    BUILDING = "BUILDING"
    READY = "READY"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EVICTED = "EVICTED"

    @property
    def final(self) -> bool:
        """Whether it changes only if somebody asks again."""
        return self is not DatasetState.BUILDING


class WorkState(StrEnum):
    """Where a piece of work stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def unfinished(self) -> bool:
        """Whether somebody may still wait for it."""
        return self in (WorkState.QUEUED, WorkState.RUNNING)


class WorkKind(StrEnum):
    """What a piece of work does."""

    ENVIRONMENT = "ENVIRONMENT"
    SNAPSHOT = "SNAPSHOT"
    BUILD = "BUILD"
    VERIFY = "VERIFY"
    PREVIEW = "PREVIEW"
    COMPARE = "COMPARE"
    IMPORT = "IMPORT"


# Kinds whose subject is a dataset's key, and which publish it.
MAKES_DATASET = (WorkKind.BUILD, WorkKind.IMPORT)
