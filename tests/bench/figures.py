"""Figures of alternating runs: medians, and ratios taken round by round."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

HEADER = "| what | median [range] | |\n|---|---|---|"
"""Above rows of figures."""


def alternate(rounds: int, variants: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Run every variant once a round, in turn: a machine whose speed drifts drifts for all."""
    figures: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, run in variants.items():
            figures[name].append(run())
    return figures


def ratio(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the median of the rounds' ratios."""
    return statistics.median(one / other for one, other in zip(first, second, strict=True))


def row(name: str, unit: str, figures: Sequence[float], note: str = "") -> str:
    """Return a line of a Markdown table: median and range."""
    middle, low, high = statistics.median(figures), min(figures), max(figures)
    digits = 0 if middle >= 100 else 1 if middle >= 10 else 2
    return f"| {name} | {middle:.{digits}f} {unit} [{low:.{digits}f}–{high:.{digits}f}] | {note} |"
