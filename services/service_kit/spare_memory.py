"""Gives free memory back to the machine: after a crowd or a huge photo the allocator keeps hundreds of MB."""

from __future__ import annotations

import asyncio
import ctypes
import sys

# Not at once: what the next photo needs again would have to be fetched again, page by page.
GIVE_BACK_EVERY_S = 20.0

MOST_ARENAS = 2
_M_ARENA_MAX = -8

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_TRIM = getattr(_LIBC, "malloc_trim", None)
_MALLOPT = getattr(_LIBC, "mallopt", None)


def keep_few_arenas() -> None:
    """Call before threads begin, where they work on pictures; does nothing where the C library is not glibc.

    glibc makes an arena for each thread, up to eight for each core, and `malloc_trim` leaves the end of each but the
    first, up to 64 MiB, as it is (2.36): behind a crowd the inpainting service kept 1.0 GB on two cores.
    """
    if _TRIM is not None and _MALLOPT is not None:
        _MALLOPT(_M_ARENA_MAX, MOST_ARENAS)


def give_back() -> None:
    """Give it back now; does nothing where the C library is not glibc."""
    if _TRIM is not None:
        _TRIM(0)


async def give_back_for_ever() -> None:
    """Keep no memory that nobody uses for long."""
    while True:
        await asyncio.sleep(GIVE_BACK_EVERY_S)
        await asyncio.to_thread(give_back)
