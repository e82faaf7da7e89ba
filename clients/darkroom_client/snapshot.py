"""What a watcher sees of a request and of a dataset: plain frozen values, one per change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class RequestState(StrEnum):
    """Where a request stands."""

    RESOLVING = "RESOLVING"
    BUILDING = "BUILDING"
    READY = "READY"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"

    @property
    def final(self) -> bool:
        """Whether nothing will change any more."""
        return self in (self.READY, self.FAILED, self.CANCELLED, self.EXPIRED)


class DatasetState(StrEnum):
    """Where a dataset stands."""

    BUILDING = "BUILDING"
    READY = "READY"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EVICTED = "EVICTED"
    UNKNOWN = "UNKNOWN"

    @property
    def final(self) -> bool:
        """Whether nothing changes unless somebody asks for the dataset again."""
        return self not in (self.BUILDING, self.UNKNOWN)


class Stage(StrEnum):
    """What is being done now."""

    WAITING = "WAITING"
    ENVIRONMENT = "ENVIRONMENT"
    SNAPSHOT = "SNAPSHOT"
    QUEUED = "QUEUED"
    PLANNING = "PLANNING"
    BUILDING = "BUILDING"
    ASSEMBLING = "ASSEMBLING"
    CHECKING = "CHECKING"
    FINISHED = "FINISHED"


@dataclass(frozen=True)
class Violation:
    """One wrong field: where, and what was received and would do."""

    field: str
    description: str


@dataclass(frozen=True)
class Failure:
    """Why work failed; ``detail`` holds a handler's traceback or the end of the log."""

    failure_class: str
    message: str
    detail: str = ""
    violations: tuple[Violation, ...] = ()
    deterministic: bool = False


@dataclass(frozen=True)
class Progress:
    """How far work is; zero means not known yet. ``rate`` is examples (or files) per second."""

    stage: Stage = Stage.WAITING
    shard_count: int = 0
    shards_done: int = 0
    shards_reused: int = 0
    example_count: int = 0
    examples_done: int = 0
    bytes_done: int = 0
    file_count: int = 0
    files_done: int = 0
    rate: float = 0.0
    eta: timedelta | None = None
    waiting_for: str = ""
    runner: str = ""
    attempt: int = 0
    skipped_count: int = 0
    skipped: tuple[str, ...] = ()
    queue_position: int = 0


@dataclass(frozen=True)
class DatasetSnapshot(Progress):
    """One dataset as it stands, with how far its build is."""

    name: str = ""
    key: str = ""
    dataset_name: str = ""
    handler_version: str = ""
    state: DatasetState = DatasetState.UNKNOWN
    archive: str = ""
    digest: str = ""
    size_bytes: int = 0
    splits: Mapping[str, int] = field(default_factory=dict)
    preimage: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None
    started_by: str = ""
    interest_count: int = 0
    pinned: bool = False
    create_time: datetime | None = None
    ready_time: datetime | None = None
    build_time: timedelta | None = None
    download_count: int = 0
    request_count: int = 0
    revision: int = 0

    @property
    def final(self) -> bool:
        """Whether nothing changes unless somebody asks for the dataset again."""
        return self.state.final


@dataclass(frozen=True)
class RequestSnapshot(Progress):
    """One request as it stands, with how far the work is that it waits for."""

    name: str = ""
    dataset_name: str = ""
    handler_version: str = ""
    requester: str = ""
    state: RequestState = RequestState.UNKNOWN
    key: str = ""
    cached: bool = False
    joined: bool = False
    started_by: str = ""
    failure: Failure | None = None
    read_options: Mapping[str, Any] = field(default_factory=dict)
    dataset: DatasetSnapshot | None = None
    create_time: datetime | None = None
    finish_time: datetime | None = None
    expire_time: datetime | None = None
    revision: int = 0

    @property
    def final(self) -> bool:
        """Whether nothing will change any more."""
        return self.state.final


def is_news(snapshot: RequestSnapshot | DatasetSnapshot, seen: RequestSnapshot | DatasetSnapshot | None) -> bool:
    """Whether somebody who has seen ``seen`` should see the snapshot, too.

    A stream that is attached again begins with what is known; at a registry that has not looked since, with less.
    """
    return seen is None or snapshot.final or (snapshot.revision >= seen.revision and snapshot != seen)
