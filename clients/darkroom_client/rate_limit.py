"""Keeps downloads below a rate, so that a line that others use stays theirs too."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable

from darkroom_client.errors import InvalidArgument

# As much may come at once after a pause.
BURST_S = 0.25
_UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9}
_RATE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([KMG]?)", re.IGNORECASE)


class RateLimit:
    """A token bucket that several threads share."""

    def __init__(self, bytes_per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.bytes_per_s = bytes_per_s
        self._clock = clock
        self._lock = threading.Lock()
        # When the bytes taken so far are paid for.
        self._paid_s = clock()

    def take(self, size_bytes: int) -> float:
        """Take bytes that have come; returns how many seconds to wait before the next ones are read."""
        with self._lock:
            now_s = self._clock()
            self._paid_s = max(self._paid_s, now_s - BURST_S) + size_bytes / self.bytes_per_s
            return max(self._paid_s - now_s, 0.0)


def rate_limit(text: str | None = None) -> RateLimit | None:
    """Return the limit of ``10M`` bytes a second, as given, else ``DARKROOM_BANDWIDTH``; None: there is none.

    K, M and G are powers of 1000. Raises `InvalidArgument` saying what would do.
    """
    source, chosen = ("--limit-rate", text) if text else ("DARKROOM_BANDWIDTH", os.environ.get("DARKROOM_BANDWIDTH"))
    if not chosen:
        return None
    found = _RATE.fullmatch(chosen.strip())
    bytes_per_s = float(found[1]) * _UNITS[found[2].upper()] if found else 0.0
    if bytes_per_s < 1:
        raise InvalidArgument(f"{source}: {chosen}: write bytes a second, such as 800K, 10M or 1.5G")
    return RateLimit(bytes_per_s)
