"""What was asked for, built and downloaded, summed over a time by dataset, dataset name or requester."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# Later than any row, and a number that every database compares.
FOR_EVER = 1e12


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

    @property
    def place(self) -> tuple[int, str]:
        """Where the line stands: those with most requests come first."""
        return self.request_count, self.group

    def plus(self, more: Usage) -> Usage:
        """Return the sums of both, which are of one group."""
        return Usage(
            group=self.group,
            dataset_name=max(self.dataset_name, more.dataset_name),
            request_count=self.request_count + more.request_count,
            hit_count=self.hit_count + more.hit_count,
            joined_count=self.joined_count + more.joined_count,
            build_count=self.build_count + more.build_count,
            build_s=self.build_s + more.build_s,
            download_count=self.download_count + more.download_count,
            download_bytes=self.download_bytes + more.download_bytes,
        )
