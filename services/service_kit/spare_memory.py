"""Gives free memory back to the machine: after a crowd or a huge photo the allocator keeps hundreds of MB."""

from __future__ import annotations

import asyncio
import ctypes
import sys

# Not at once: what the next photo needs again would have to be fetched again, page by page.
GIVE_BACK_EVERY_S = 20.0

_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None


def give_back() -> None:
    """Give it back now; does nothing where the C library is not glibc."""
    if _TRIM is not None:
        _TRIM(0)


async def give_back_for_ever() -> None:
    """Keep no memory that nobody uses for long."""
    while True:
        await asyncio.sleep(GIVE_BACK_EVERY_S)
        await asyncio.to_thread(give_back)
