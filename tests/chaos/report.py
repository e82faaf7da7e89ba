"""Says what was done and what came of it, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .checker import Findings
from .deployment import LEASE_S
from .workload import Asked


@dataclass(frozen=True)
class Report:
    """One run."""

    title: str
    harm: dict[str, int]
    missed_points: Sequence[str]
    asked: Sequence[Asked]
    resumed_s: Sequence[float]
    findings: Findings

    @property
    def good(self) -> bool:
        """Whether nothing was lost, doubled or corrupt, and each point was met."""
        return not self.findings.all and not self.missed_points

    def __str__(self) -> str:
        accepted = [each for each in self.asked if each.name]
        refused = len(self.asked) - len(accepted)
        longest_s = max((each.took_s for each in accepted), default=0.0)
        rows = [
            *sorted(self.harm.items()),
            ("requests accepted", len(accepted)),
            ("requests refused, because nobody could write them down", refused),
            ("keys", self.findings.keys),
            ("builds that published", self.findings.builds),
            ("work that lost its runner and was taken on", len(self.resumed_s)),
            ("longest time to resume", f"{max(self.resumed_s, default=0.0):.1f} s (a lease is {LEASE_S:.0f} s)"),
            ("longest wait of a caller", f"{longest_s:.1f} s"),
            ("objects that the collector removed at the end", self.findings.orphans_removed),
            ("lost", len(self.findings.lost)),
            ("doubled", len(self.findings.doubled)),
            ("corrupt", len(self.findings.corrupt)),
        ]
        wide = max(len(name) for name, _ in rows)
        lines = [self.title, *(f"  {name:<{wide}}  {value}" for name, value in rows)]
        lines += [f"  nobody came to the point {point}" for point in self.missed_points]
        lines += [f"  FOUND: {finding}" for finding in self.findings.all]
        return "\n".join(lines)
