"""What a request would get: hit or miss, on a miss what is nearest and in what it differs, and what a build costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from darkroom_client.snapshot import DatasetSnapshot


@dataclass(frozen=True)
class RawDifference:
    """In what two snapshots of a raw dataset differ, the asked one first; of each kind the first 10 paths."""

    added_count: int = 0
    removed_count: int = 0
    changed_count: int = 0
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """One fact that differs: ``config.`` with the option's path, ``raw.`` with the role, ``commit``, ``lock``, ...

    ``asked`` is what was asked for, ``other`` what the other dataset has; None also where a side has none. ``raw`` is
    None where no runner knows any more what the other snapshot held.
    """

    field: str
    asked: Any = None
    other: Any = None
    raw: RawDifference | None = None


@dataclass(frozen=True)
class NearDataset:
    """A dataset that is ready, and in what it differs from the one asked for."""

    dataset: DatasetSnapshot
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class BuildCost:
    """What a build would come to, as far as earlier builds tell; ``basis`` says on what that rests."""

    example_count: int = 0
    size_bytes: int = 0
    build_time: timedelta = timedelta()
    basis: str = ""


@dataclass(frozen=True)
class Resolution:
    """What a request would get: the key, whether the dataset is ready (``hit``), and why.

    On a miss ``nearest`` holds at most 3 datasets, and ``cost`` is None when nothing is known of it.
    """

    key: str
    hit: bool
    reason: str
    preimage: Mapping[str, Any] = field(default_factory=dict)
    dataset: DatasetSnapshot | None = None
    nearest: tuple[NearDataset, ...] = ()
    cost: BuildCost | None = None
