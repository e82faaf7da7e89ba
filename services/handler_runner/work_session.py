"""One claimed piece of work from claim to end: its lease, progress, log, scratch folder, and its calls."""

from __future__ import annotations

import asyncio
import functools
import shutil
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from darkroom.handler.v1 import handler_pb2
from handler_runner.executor import Listener
from handler_runner.patience import patiently
from handler_runner.progress import WorkProgress
from handler_runner.registry_link import RegistryLink
from handler_runner.work_log import WorkLog

Result = TypeVar("Result")


class WorkSession:
    """What a piece of work may use that is its own. Lives on the event loop; `cancelled` is for its threads."""

    def __init__(self, link: RegistryLink, work: handler_pb2.Work, runner: str, scratch_root: Path) -> None:
        self.work = work
        self.progress = WorkProgress(runner, work.attempt)
        self.log = WorkLog(on_append=self.progress.touch)
        self.cancelled = threading.Event()
        self.scratch = scratch_root / f"{work.name.rpartition('/')[2]}-{work.fence}"
        self._link = link
        self._loop = asyncio.get_running_loop()

    async def in_thread(self, call: Callable[..., Result], *arguments: object) -> Result:
        """Run blocking work in a thread."""
        return await asyncio.to_thread(call, *arguments)

    async def patiently(self, call: Callable[..., Result], *arguments: object) -> Result:
        """Run blocking work in a thread, again and again while its store is down or its disk full."""
        return await patiently(self.progress, functools.partial(self.in_thread, call, *arguments))

    async def wait_out(self, attempt: Callable[[], Awaitable[Result]]) -> Result:
        """The same for work that is not a blocking call."""
        return await patiently(self.progress, attempt)

    async def commit_shard(self, shard: handler_pb2.Shard) -> handler_pb2.Shard:
        """Put a shard on record and return the row that stands."""
        return await self._link.commit_shard(self.work, shard)

    async def list_shards(self) -> list[handler_pb2.Shard]:
        """Return the shards that this and earlier attempts have committed."""
        return await self._link.list_shards(self.work)

    def listener(self, shard: object = None) -> Listener:
        """Return who hears of a command; with ``shard``, its examples count as that shard's progress."""
        if shard is None:
            return Listener(log=self.log.append)
        return Listener(progress=functools.partial(self.progress.running, shard), log=self.log.append)

    def files_progress(self, files_done: int, file_count: int) -> None:
        """Say from any thread how far a walk is."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.progress.files, files_done, file_count)

    def open(self) -> None:
        """Make the scratch folder, empty."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True)

    def close(self) -> None:
        """Stop the threads and remove the scratch folder; nothing in the store is touched."""
        self.cancelled.set()
        shutil.rmtree(self.scratch, ignore_errors=True)
