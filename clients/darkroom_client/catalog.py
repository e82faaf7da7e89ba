"""What a registry knows besides datasets: definitions, handlers, raw datasets, runners, and its answers about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class Definition:
    """Which handler makes a dataset, and which raw dataset plays which role."""

    dataset_name: str
    handler: str
    raw: Mapping[str, str]
    update_time: datetime | None = None


@dataclass(frozen=True)
class Option:
    """One option that a handler declares; ``required`` means that it has no default."""

    name: str
    type: str
    required: bool
    default: Any = None
    description: str = ""
    constraint: str = ""
    read_time: bool = False
    example: Any = None
    """A value to try; None: the default is one."""


@dataclass(frozen=True)
class Handler:
    """One handler of a repository, at one version."""

    name: str
    description: str = ""
    roles: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    version: str = ""
    commit: str = ""
    example_config: Mapping[str, Any] = field(default_factory=dict)
    lock_digest: str = ""
    """Stands for the packages that it runs with."""
    python: str = ""


@dataclass(frozen=True)
class RawDataset:
    """One raw dataset that runners serve; ``digest`` is empty before the first walk."""

    name: str
    file_count: int = 0
    size_bytes: int = 0
    digest: str = ""
    scan_time: datetime | None = None
    runners: tuple[str, ...] = ()


@dataclass(frozen=True)
class Runner:
    """One runner that called lately."""

    name: str
    cores: int = 0
    free_bytes: int = 0
    repositories: tuple[str, ...] = ()
    raw_datasets: tuple[str, ...] = ()
    seen_time: datetime | None = None
    version: str = ""
    sandbox: str = ""
    """How well it confines foreign code: `full`, or `partial: ` or `none: ` and why."""
    refused_repositories: tuple[str, ...] = ()
    """Those whose code it will not run, each `name: why`."""


class UsageBy(StrEnum):
    """What a line of usage stands for."""

    DATASET = "dataset"
    NAME = "name"
    USER = "user"


@dataclass(frozen=True)
class Usage:
    """What was asked for, built and downloaded; ``group`` is a key, a dataset name or a requester."""

    group: str
    dataset_name: str
    requests: int = 0
    hits: int = 0
    joined: int = 0
    builds: int = 0
    build_time: timedelta = timedelta()
    """Of failed builds too."""
    downloads: int = 0
    download_bytes: int = 0


@dataclass(frozen=True)
class Relocked:
    """The lock of a repository at a commit, before and after it was resolved again."""

    commit: str
    previous_lock_digest: str
    lock_digest: str
    lock: str


@dataclass(frozen=True)
class VerifyReport:
    """What a check found; ``evicted`` means that the next request builds the dataset again."""

    ok: bool
    shards_read: int = 0
    shards_rebuilt: int = 0
    problems: tuple[str, ...] = ()
    evicted: bool = False
