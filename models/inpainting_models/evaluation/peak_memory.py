"""Measures how much memory a piece of work added at its peak, native libraries included."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


class Peak:
    """`added_mb` is filled in when the measured block ends."""

    added_mb = 0.0


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Measure the block: the process's largest resident memory in it, less what was resident before.

    Linux sets the high-water mark back and is exact. Elsewhere the mark covers the process's whole life, so that only a
    block which exceeds everything before it is seen.
    """
    peak = Peak()
    if _RESET.exists():
        _RESET.write_text("5")
        before = _status_mb("VmRSS")
        try:
            yield peak
        finally:
            peak.added_mb = max(0.0, _status_mb("VmHWM") - before)
    else:
        before = _lifetime_mb()
        try:
            yield peak
        finally:
            peak.added_mb = max(0.0, _lifetime_mb() - before)


def _status_mb(field: str) -> float:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(field + ":"))
    return int(line.split()[1]) / 1024


def _lifetime_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
