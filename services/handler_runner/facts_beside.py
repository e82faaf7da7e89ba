"""Keeps the facts of staged shards beside them in the store: one object for all that share them, one for each other.

Nearly all shards of a dataset have the same features and nothing skipped, so the facts of the first one are put as the
common ones of its fence, and a shard with the same needs no object of its own: half the round trips to the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from handler_runner.shard_facts import ShardFacts
from handler_runner.work_session import WorkSession
from service_kit.crash_points import reach
from service_kit.object_store import ObjectMissing, ObjectShort, ObjectStore

_OWN = ".facts.json"
_COMMON = ".common.facts.json"


class FactsBeside:
    """The facts objects of one build's fence, and those of earlier fences.

    Both kinds of object begin with the name of a shard, by which the collector knows that they belong to it.
    """

    def __init__(self, session: WorkSession, store: ObjectStore) -> None:
        self._session, self._store = session, store
        self._common: ShardFacts | None = None
        self._first = asyncio.Lock()

    async def keep(self, stem: str, facts: ShardFacts) -> None:
        """Make the facts of a shard durable, whose objects' names begin with the stem, before it is put on record."""
        async with self._first:
            if self._common is None:
                await self._session.patiently(self._store.put, stem + _COMMON, facts.to_bytes())
                self._common = facts
                reach("facts_put")
        if facts != self._common:
            await self._session.patiently(self._store.put, stem + _OWN, facts.to_bytes())

    async def recall(self, stems: Iterable[str]) -> dict[str, ShardFacts]:
        """Return the facts of shards of earlier attempts by their stems, as far as they are still there."""
        by_folder: dict[str, list[str]] = {}
        for stem in stems:
            by_folder.setdefault(stem.rpartition("/")[0] + "/", []).append(stem)
        found: dict[str, ShardFacts] = {}
        for folder, inside in by_folder.items():
            kept: dict[str, ShardFacts] = await self._session.patiently(_read_facts, self._store, folder)
            common = next((facts for name, facts in kept.items() if name.endswith(_COMMON)), None)
            facts_of = {stem: kept.get(stem + _OWN, common) for stem in inside}
            found.update({stem: facts for stem, facts in facts_of.items() if facts is not None})
        return found


def _read_facts(store: ObjectStore, prefix: str) -> dict[str, ShardFacts]:
    kept = {}
    for found in store.list(prefix):
        if found.name.endswith(_OWN):
            facts = ShardFacts.of(read_small(store, found.name) or b"")
            if facts is not None:
                kept[found.name] = facts
    return kept


def read_small(store: ObjectStore, name: str) -> bytes | None:
    """Return a small object whole, or None if there is none."""
    try:
        found = store.stat(name)
        return b"".join(store.read(name, 0, found.size_bytes)) if found else None
    except (ObjectMissing, ObjectShort):
        return None
