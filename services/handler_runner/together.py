"""Runs several things at a time, of which the first to fail ends the others."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def together(*works: Coroutine[Any, Any, Any]) -> list[Any]:
    """Return all results in order, or raise the first failure once all others are cancelled and have ended.

    Unlike a task group it raises the failure itself; of failures at the same moment, that of the first argument.
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        if not tasks:
            return []
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error
        return [task.result() for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
