"""What was asked for, built and downloaded, summed over a time by dataset, dataset name or requester."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class UsageBy(StrEnum):
    """What one line of usage stands for."""

    DATASET = "DATASET"
    NAME = "NAME"
    REQUESTER = "REQUESTER"


@dataclass(frozen=True)
class Usage:
    """One line: ``group`` is a key, a dataset name or a requester."""

    group: str
    dataset_name: str
    request_count: int
    hit_count: int
    joined_count: int
    build_count: int
    build_s: float
    download_count: int
    download_bytes: int
