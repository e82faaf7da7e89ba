"""The rows that the catalogue keeps, as frozen values; each method returns the next value.

Every record has an ``id`` and a ``revision`` that the catalogue counts: 0 means not stored yet. Moments are seconds
since the epoch by the database's clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from dataset_registry.states import DatasetState, RequestState, WorkState

Json = dict[str, Any]


@dataclass(frozen=True)
class Record:
    """What every row has."""

    id: str
    revision: int = 0
    update_time: float = 0.0


@dataclass(frozen=True)
class Definition(Record):
    """A dataset name (the id): which handler makes it, from which raw datasets in which roles."""

    repository: str = ""
    handler: str = ""
    raw: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Environment(Record):
    """What a repository at a commit declares (the id is ``repository@commit``), kept for ever as plain data.

    The description names its lock by digest; only a relock replaces it.
    """

    description: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Lock(Record):
    """The packages of an environment, pinned with their hashes; the id is the text's sha256, and nothing changes it."""

    text: str = ""


@dataclass(frozen=True)
class RawDataset(Record):
    """A raw dataset's name (the id) and what its last walk found."""

    digest: str = ""
    file_count: int = 0
    size_bytes: int = 0
    scan_time: float = 0.0


@dataclass(frozen=True)
class Runner(Record):
    """A runner's name (the id) and what it serves."""

    cores: int = 0
    free_bytes: int = 0
    repositories: list[Json] = field(default_factory=list)
    raw_datasets: Json = field(default_factory=dict)
    version: str = ""
    instance: str = ""
    sandbox: str = ""
    seen_time: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """What a request asks for: all that the key needs but facts from runners.

    ``commit`` is empty until the version could be resolved.
    """

    dataset_name: str
    repository: str
    commit: str
    version: str
    handler: str
    raw: Json
    config: Json


@dataclass(frozen=True)
class Request(Record):
    """One caller's interest in a dataset; the id is the caller's UUID."""

    dataset_name: str = ""
    version: str = ""
    config_json: str = "{}"
    requester: str = "unknown"
    recipe: Json = field(default_factory=dict)
    state: str = RequestState.RESOLVING
    key: str = ""
    cached: bool = False
    joined: bool = False
    retry: bool = False
    read_options: Json = field(default_factory=dict)
    failure: Json = field(default_factory=dict)
    waiting_for: str = ""
    create_time: float = 0.0
    finish_time: float = 0.0
    expire_time: float = 0.0
    log_id: str = ""
    trace_parent: str = ""

    def building(self, key: str, *, joined: bool) -> Request:
        """The key is known and the dataset is on its way."""
        return replace(self, state=RequestState.BUILDING, key=key, joined=joined, waiting_for="")

    def ready(self, now: float, *, key: str, cached: bool) -> Request:
        """The dataset can be downloaded."""
        return replace(self, state=RequestState.READY, key=key, cached=cached, finish_time=now, waiting_for="")

    def failed(self, now: float, failure: Json) -> Request:
        """It will not come."""
        return replace(self, state=RequestState.FAILED, failure=failure, finish_time=now, waiting_for="")

    def ended(self, now: float, state: RequestState) -> Request:
        """The caller or its time to live ended it."""
        return replace(self, state=state, finish_time=now)


@dataclass(frozen=True)
class Dataset(Record):
    """One artefact; the id is its key."""

    dataset_name: str = ""
    version: str = ""
    state: str = DatasetState.BUILDING
    preimage: str = "{}"
    build_task: Json = field(default_factory=dict)
    archive_object: str = ""
    archive_size_bytes: int = 0
    digest: str = ""
    manifest_offset: int = 0
    manifest_size_bytes: int = 0
    example_count: int = 0
    shard_count: int = 0
    splits: Json = field(default_factory=dict)
    failure: Json = field(default_factory=dict)
    started_by: str = ""
    pinned: bool = False
    idle_since: float = 0.0
    create_time: float = 0.0
    start_time: float = 0.0
    finish_time: float = 0.0

    @property
    def imported(self) -> bool:
        """Whether another system built it: it cannot be built again."""
        return "file_name" in self.build_task

    def started(self, now: float, by: str) -> Dataset:
        """A new attempt begins; committed shards stay."""
        return replace(
            self,
            state=DatasetState.BUILDING,
            failure={},
            started_by=by,
            start_time=now,
            finish_time=0.0,
            idle_since=0.0,
        )

    def published(self, now: float, result: Json) -> Dataset:
        """The archive is there."""
        return replace(self, state=DatasetState.READY, failure={}, finish_time=now, **result)

    def ended(self, now: float, state: DatasetState, failure: Json | None = None) -> Dataset:
        """It failed, was cancelled or lost its archive."""
        return replace(self, state=state, failure=failure or {}, finish_time=now)


@dataclass(frozen=True)
class Work(Record):
    """A piece of work; unique on (kind, subject) while unfinished."""

    kind: str = ""
    subject: str = ""
    state: str = WorkState.QUEUED
    repository: str = ""
    commit: str = ""
    raw_names: list[str] = field(default_factory=list)
    task: Json = field(default_factory=dict)
    result: Json = field(default_factory=dict)
    failure: Json = field(default_factory=dict)
    failure_counts: Json = field(default_factory=dict)
    progress: Json = field(default_factory=dict)
    fence: int = 0
    attempt: int = 0
    runner: str = ""
    lease_until: float = 0.0
    not_before: float = 0.0
    create_time: float = 0.0
    start_time: float = 0.0
    finish_time: float = 0.0
    dataset_name: str = ""
    requester: str = ""
    log_id: str = ""
    trace_parent: str = ""

    @property
    def unfinished(self) -> bool:
        """Whether somebody may still wait for it."""
        return WorkState(self.state).unfinished

    def claimed(self, now: float, runner: str, lease_s: float) -> Work:
        """A runner takes it, under a fence that no earlier holder has."""
        return replace(
            self,
            state=WorkState.RUNNING,
            fence=self.fence + 1,
            attempt=self.attempt + 1,
            runner=runner,
            lease_until=now + lease_s,
            start_time=now,
            progress={},
        )

    def renewed(self, now: float, lease_s: float, progress: Json | None) -> Work:
        """Its holder lives."""
        return replace(
            self,
            state=WorkState.RUNNING,
            lease_until=now + lease_s,
            progress=self.progress if progress is None else progress,
        )

    def requeued(self, not_before: float = 0.0) -> Work:
        """It waits for a runner again; the fence stays, so the last holder may come back until another claims."""
        return replace(self, state=WorkState.QUEUED, runner="", lease_until=0.0, not_before=not_before, progress={})

    def done(self, now: float, result: Json) -> Work:
        """It succeeded."""
        return replace(self, state=WorkState.DONE, result=result, finish_time=now)

    def ended(self, now: float, state: WorkState, failure: Json | None = None) -> Work:
        """It failed for good or nobody wants it."""
        return replace(self, state=state, failure=failure or {}, finish_time=now)


@dataclass(frozen=True)
class Shard(Record):
    """A committed shard; the id is ``key/split/index``."""

    key: str = ""
    split: str = ""
    index: int = 0
    object: str = ""
    size_bytes: int = 0
    sha256: str = ""
    crc32: int = 0
    record_count: int = 0


@dataclass(frozen=True)
class LogPiece(Record):
    """A piece of a build's log; the id is ``subject/start``."""

    subject: str = ""
    start: int = 0
    size_bytes: int = 0
    text: str = ""
    work: str = ""
    fence: int = 0
    fence_end: int = 0


@dataclass(frozen=True)
class Download(Record):
    """One finished download; the id is the client's UUID."""

    key: str = ""
    requester: str = ""
    size_bytes: int = 0
    elapsed_s: float = 0.0
    create_time: float = 0.0
    dataset_name: str = ""


@dataclass(frozen=True)
class UsageTotal(Record):
    """What was asked for, built and downloaded before the mark, for one group; the id is ``by/group``."""

    by: str = ""
    group: str = ""
    dataset_name: str = ""
    request_count: int = 0
    hit_count: int = 0
    joined_count: int = 0
    build_count: int = 0
    build_s: float = 0.0
    download_count: int = 0
    download_bytes: int = 0


@dataclass(frozen=True)
class UsageMark(Record):
    """Before which moment all is in the totals; there is one row, ``totals``."""

    until_time: float = 0.0
