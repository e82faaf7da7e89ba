"""Brings finished shards into the store: checked, as whole zip entries, with their facts, and on record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from darkroom.handler.v1 import handler_pb2
from handler_runner.archive import EntryTooLarge, ShardEntry, local_header
from handler_runner.facts_beside import FactsBeside, read_small
from handler_runner.failure import FailureClass, WorkFailed
from handler_runner.shard_check import NotTFRecords, check_shard
from handler_runner.shard_facts import ShardFacts
from handler_runner.together import together
from handler_runner.work_session import WorkSession
from service_kit.crash_points import reach
from service_kit.object_store import ObjectStore

_ENTRY = ".entry"


@dataclass(frozen=True)
class StagedShard:
    """A shard whose bytes are safe: what the archive says of it, and the object that holds its zip entry."""

    entry: ShardEntry
    object: str


class Staging:
    """One build's place in the store, ``{key}/{fence}/``; nothing is ever written elsewhere or deleted."""

    def __init__(self, session: WorkSession, store: ObjectStore, key: str) -> None:
        self._session, self._store = session, store
        self._facts = FactsBeside(session, store)
        self.prefix = f"{key}/{session.work.fence}"

    async def put_entry(self, path: Path, split: str, index: int) -> StagedShard:
        """Check a finished file as data and put it as a zip entry; waits out a store that is down or full.

        Raises `WorkFailed` (HANDLER_ERROR) when it is no TFRecord file, or too large for an entry.
        """
        name = f"{split}-{index:05}"
        try:
            facts = await self._session.in_thread(check_shard, path)
            entry = ShardEntry(split, index, facts.size_bytes, facts.sha256, facts.crc32, facts.record_count)
        except NotTFRecords as error:
            message = f"{path.name} ({name}) is no TFRecord file: {error}"
            raise WorkFailed(FailureClass.HANDLER_ERROR, message) from error
        except EntryTooLarge as error:
            raise WorkFailed(FailureClass.HANDLER_ERROR, f"{error.message} More shards would do.") from error
        staged = StagedShard(entry, f"{self.prefix}/{entry.name}{_ENTRY}")
        header = local_header(entry.name, entry.size_bytes, entry.crc32)
        await self._session.patiently(self._store.put, staged.object, header, path)
        return staged

    async def put(self, name: str, data: bytes) -> str:
        """Put a small object below the prefix and return its name."""
        await self._session.patiently(self._store.put, f"{self.prefix}/{name}", data)
        return f"{self.prefix}/{name}"

    async def stage(self, path: Path, split: str, index: int, facts: ShardFacts) -> tuple[StagedShard, ShardFacts]:
        """Put a shard and its facts, then put it on record; return those that stand."""
        staged, _ = await together(
            self.put_entry(path, split, index), self._facts.keep(f"{self.prefix}/{split}-{index:05}.tfrecord", facts)
        )
        reach("shard_put")
        row = await self.commit(staged)
        if row.entry != staged.entry and (earlier := await self.recall([row])):
            self._session.log.note(f"{row.entry.name} came out different from an earlier attempt's, which stands")
            return row, earlier[row]
        return staged, facts

    async def commit(self, staged: StagedShard) -> StagedShard:
        """Put a staged shard on record and return the row that stands, which may be an earlier attempt's."""
        row = await self._session.commit_shard(
            handler_pb2.Shard(object=staged.object, **asdict(staged.entry)),
        )
        reach("shard_committed")
        return staged_of(row)

    async def recall(self, rows: Iterable[StagedShard]) -> dict[StagedShard, ShardFacts]:
        """Return the facts of those shards of earlier attempts of which everything is still in the store."""
        whole = await self.there(rows)
        facts = await self._facts.recall(stem(shard) for shard in whole)
        return {shard: facts[stem(shard)] for shard in whole if stem(shard) in facts}

    async def there(self, staged: Iterable[StagedShard]) -> list[StagedShard]:
        """Return those whose objects are in the store with their sizes."""
        shards = list(staged)
        sizes: dict[str, int] = {}
        for folder in sorted({shard.object.rpartition("/")[0] for shard in shards}):
            sizes.update(await self._session.patiently(_sizes, self._store, f"{folder}/"))
        return [shard for shard in shards if sizes.get(shard.object) == _entry_bytes(shard.entry)]

    async def read(self, name: str) -> bytes | None:
        """Return a small object, or None if there is none."""
        data: bytes | None = await self._session.patiently(read_small, self._store, name)
        return data

    async def compose(self, name: str, sources: list[str], tick: Callable[[], None]) -> str:
        """Join objects to one below the prefix."""
        await self._session.patiently(self._store.compose, f"{self.prefix}/{name}", sources, tick)
        return f"{self.prefix}/{name}"


def stem(staged: StagedShard) -> str:
    """Return the beginning that the names of all objects of a staged shard share."""
    return staged.object.removesuffix(_ENTRY)


def staged_of(row: handler_pb2.Shard) -> StagedShard:
    """Return the shard that a row of the registry stands for."""
    fields: dict[str, Any] = {name: getattr(row, name) for name in ShardEntry.__dataclass_fields__}
    return StagedShard(ShardEntry(**fields), row.object)


def staged_to_json(staged: StagedShard) -> dict[str, Any]:
    """Return it as plain data."""
    return {**asdict(staged.entry), "object": staged.object}


def staged_from_json(fields: dict[str, Any]) -> StagedShard:
    """Return what `staged_to_json` was given."""
    fields = dict(fields)
    name = str(fields.pop("object"))
    return StagedShard(ShardEntry(**fields), name)


def _sizes(store: ObjectStore, prefix: str) -> dict[str, int]:
    return {found.name: found.size_bytes for found in store.list(prefix)}


def _entry_bytes(entry: ShardEntry) -> int:
    return len(local_header(entry.name, entry.size_bytes, entry.crc32)) + entry.size_bytes
