"""What dangles is found and named: lost objects, damaged bytes, rows at odds; a whole catalogue is clean."""

from __future__ import annotations

from dataclasses import replace

from dataset_registry.consistency import Consistency
from dataset_registry.records import Dataset, Request, Shard

from .conftest import House

SHARD = Shard(id="", split="train", index=0, size_bytes=5, sha256="s", crc32=1, record_count=2)


def found(house: House, **how: bool) -> list[tuple[str, str]]:
    return [(each.kind, each.name) for each in Consistency(house.catalog, house.store).findings(**how)]


async def published(house: House) -> str:
    """Build a dataset and return its archive's object."""
    await house.described()
    await house.registry.request_dataset("street", "latest", "{}")
    await house.walked()
    result = await house.publish(await house.claim(), b'{"shards": []}')
    return str(result["archive_object"])


async def test_a_whole_catalogue_is_clean_at_every_step(house: House) -> None:
    assert found(house) == []
    await house.described()
    await house.registry.request_dataset("street", "latest", "{}")
    await house.walked()
    work = await house.claim()
    staged = f"{work.subject}/{work.fence}/train-00000.tfrecord.entry"
    house.store.put(staged, b"x")
    assert found(house) == [], "what a running build has staged is its own"
    await house.dispatch.commit_shard(f"work/{work.id}", work.fence, replace(SHARD, object=staged))
    assert found(house) == []
    await house.publish(work, b'{"shards": []}')
    assert found(house, read_bytes=True) == [("unnamed", staged)]


async def test_a_lost_archive_and_a_short_one_are_missing(house: House) -> None:
    archive = await published(house)
    house.store.put(archive, b"short")
    assert found(house) == [("missing", archive)]
    house.store.delete(archive)
    assert found(house) == [("missing", archive)]


async def test_damaged_bytes_are_found_where_they_are_read(house: House) -> None:
    archive = await published(house)
    house.store.put(archive, b'{"shards": {}}')
    assert found(house) == []
    assert found(house, read_bytes=True) == [("damaged", archive)]


async def test_a_committed_shard_without_its_object_is_missing(house: House) -> None:
    await published(house)
    house.catalog.write(lambda tx: tx.put(replace(SHARD, id="k/train/0", key="k", object="k/1/train-00000.entry")))
    assert found(house) == [("missing", "k/1/train-00000.entry")]


async def test_rows_at_odds_are_named(house: House) -> None:
    house.catalog.write(lambda tx: tx.put(Dataset(id="d" * 64)))
    house.catalog.write(lambda tx: tx.put(Request(id="r", state="READY", key="e" * 64)))
    assert found(house) == [("contradiction", f"datasets/{'d' * 64}"), ("contradiction", "requests/r")]
