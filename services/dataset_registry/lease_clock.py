"""Decides when a lease that has run out may be held against its holder: not if nobody could have renewed it."""

from __future__ import annotations

import time
from collections.abc import Callable

# Shorter absences and jumps leave every holder, who reports three times in a lease, the time to renew.
_LEASES = 0.5
# So long between two looks is no absence, however short the leases are.
_SHORTEST_S = 2.0


class LeaseClock:
    """Compares the database's clock, which leases go by and which may be set, with one that only ever runs.

    `look` is called about twice a second. A longer silence means that this process was started, stopped, or without
    its database: then, and when the database's clock was set, every holder has one lease more.
    """

    def __init__(self, lease_s: float, steady: Callable[[], float] = time.monotonic) -> None:
        self._lease_s = lease_s
        self._slack_s = max(lease_s * _LEASES, _SHORTEST_S)
        self._steady = steady
        self._last: tuple[float, float] | None = None
        self._counts_from_s = 0.0
        self.doubtful = True
        """A clock that was ahead may have written moments that lie too far off; whoever mends them sets it to False."""

    def look(self, now: float) -> bool:
        """Note the database's time; returns whether leases that ended before it are lost."""
        steady_s = self._steady()
        absent = was_set = False
        if self._last is not None:
            passed_s, elapsed_s = now - self._last[0], steady_s - self._last[1]
            absent = elapsed_s > self._slack_s
            was_set = abs(passed_s - elapsed_s) > self._slack_s
        if self._last is None or absent or was_set:
            self._counts_from_s = steady_s + self._lease_s
        self.doubtful |= was_set
        self._last = now, steady_s
        return steady_s >= self._counts_from_s
