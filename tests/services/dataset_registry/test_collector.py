"""The collector takes what no row names, and nothing else."""

from __future__ import annotations

import os
import time
from dataclasses import replace

from dataset_registry.collector import Collector
from dataset_registry.records import Shard

from .conftest import House

SHARD = Shard(id="", split="train", index=0, size_bytes=5, sha256="s", crc32=1, record_count=2)


def age(house: House) -> None:
    """Make every object two days old."""
    for path in house.store._root.rglob("*"):
        if path.is_file():
            os.utime(path, (time.time() - 2 * 86_400,) * 2)


async def test_only_old_objects_that_no_row_names_go(house: House) -> None:
    collector = Collector(house.catalog, house.store)
    await house.described()
    await house.registry.request_dataset("street", "latest", "{}")
    await house.walked()
    work = await house.claim()
    staged = f"{work.subject}/{work.fence}/train-00000.tfrecord.entry"
    orphan = f"{work.subject}/{work.fence}/train-00001.tfrecord.entry"
    foreign = "notes/readme.txt"
    for name in (staged, orphan, foreign):
        house.store.put(name, b"x")
    await house.dispatch.commit_shard(f"work/{work.id}", work.fence, replace(SHARD, object=staged))
    age(house)
    assert collector.collect() == [], "a build is under way: nothing of its key may go"

    failure = {"failure_class": "HANDLER_ERROR", "message": "boom", "deterministic": True}
    await house.dispatch.fail(f"work/{work.id}", work.fence, failure)
    assert [each.name for each in collector.collect(dry_run=True)] == [orphan]
    assert house.store.stat(orphan) is not None, "a dry run removes nothing"
    collector.collect()
    assert house.store.stat(orphan) is None
    assert house.store.stat(staged) is not None, "a committed shard outlives its failed build"

    await house.registry.request_dataset("street", "latest", "{}", retry=True)
    built = await house.publish(await house.claim())
    assert collector.collect() != [], "the archive holds the staged shards' bytes now: no row names them"
    age(house)
    collector.collect()
    left = sorted(each.name for each in house.store.list(""))
    assert left == sorted([built["archive_object"], foreign])


async def test_a_young_object_stays_whoever_it_belongs_to(house: House) -> None:
    house.store.put(f"{'a' * 64}/1/train-00000.tfrecord.entry", b"x")
    assert Collector(house.catalog, house.store).collect() == []
