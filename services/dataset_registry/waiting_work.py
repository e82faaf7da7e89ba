"""What waits for a runner: read once for all runners that ask at the same time, and handed to one of them."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice

from dataset_registry.catalog import Catalog, Needs, QueuedWork, Transaction
from dataset_registry.records import Runner
from dataset_registry.views import can_do

# Other replicas' work, and work whose pause has passed, is noticed this late at most.
LOOK_S = 0.25
# Queued work that one look reads; what stands behind waits until some of it is done.
LOOKED_AT = 10_000
# Works that one claim tries, if another replica's runner was faster.
TRIED = 8


class WaitingWork:
    """The queue as this replica sees it; what a look shows may be gone by the time that it is claimed."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._reading = asyncio.Lock()
        self._coming: asyncio.Task[Mapping[Needs, Sequence[QueuedWork]]] | None = None
        self._queue: Mapping[Needs, Sequence[QueuedWork]] = {}
        self._looked = -math.inf
        self._taken: set[str] = set()

    async def oldest(self, runner: Runner, kinds: Collection[str], *, fresh: bool) -> list[str]:
        """Return the ids of the oldest few works that the runner can do now and that nobody here is taking.

        Without ``fresh`` a look of the last moment will do.
        """
        queue = await self._look(fresh)
        fitting = [
            self._free(works)
            for needs, works in queue.items()
            if (not kinds or needs.kind in kinds) and can_do(runner, needs)
        ]
        return [work.id for work in islice(heapq.merge(*fitting, key=_age), TRIED)]

    @contextmanager
    def taking(self, identity: str) -> Iterator[None]:
        """Show the work to nobody else here meanwhile: a crowd of runners then takes as many works at once."""
        self._taken.add(identity)
        try:
            yield
        finally:
            self._taken.discard(identity)

    def _free(self, works: Sequence[QueuedWork]) -> Iterator[QueuedWork]:
        return (work for work in works if work.id not in self._taken)

    async def _look(self, fresh: bool) -> Mapping[Needs, Sequence[QueuedWork]]:
        if not fresh and asyncio.get_running_loop().time() - self._looked < LOOK_S:
            return self._queue
        if self._coming is None:
            self._coming = asyncio.create_task(self._read())
        # Whoever hangs up must not end the look of the others.
        return await asyncio.shield(self._coming)

    async def _read(self) -> Mapping[Needs, Sequence[QueuedWork]]:
        """Read once the look before this one has ended: who asks from then on gets the next."""
        async with self._reading:
            self._coming = None
            self._queue = await self._catalog.read_soon(_by_needs)
            self._looked = asyncio.get_running_loop().time()
            return self._queue


def _by_needs(tx: Transaction) -> dict[Needs, list[QueuedWork]]:
    """Return the queue by what it needs: whether a runner can do it is asked once for all that need the same."""
    now = tx.now()
    found: dict[Needs, list[QueuedWork]] = {}
    for work in tx.queued(LOOKED_AT):
        if work.not_before <= now:
            found.setdefault(work.needs, []).append(work)
    return found


def _age(work: QueuedWork) -> tuple[float, str]:
    return work.create_time, work.id
