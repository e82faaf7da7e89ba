"""The facts of shards survive their runner, with few objects."""

from __future__ import annotations

import asyncio

import pytest

from handler_runner.facts_beside import FactsBeside
from handler_runner.shard_facts import ShardFacts
from service_kit.object_store_local import LocalObjectStore

PLAIN = ShardFacts({"x": {"dtype": "int64", "shape": []}})
SKIPPED = ShardFacts(PLAIN.features, ("a.jpg: no photo",))
FOLDER = "k" * 64 + "/1"


class Session:
    """Runs blocking calls in threads."""

    async def patiently(self, call, *arguments):
        return await asyncio.to_thread(call, *arguments)


@pytest.fixture
def store(tmp_path):
    return LocalObjectStore(tmp_path / "store")


async def test_shards_with_the_same_facts_share_an_object(store):
    kept = FactsBeside(Session(), store)
    stems = [f"{FOLDER}/train-{number:05}.tfrecord" for number in range(20)]
    await asyncio.gather(*(kept.keep(stem, SKIPPED if number == 7 else PLAIN) for number, stem in enumerate(stems)))
    assert len(list(store.list(FOLDER))) == 2
    recalled = await FactsBeside(Session(), store).recall(stems)
    assert recalled == {stem: SKIPPED if number == 7 else PLAIN for number, stem in enumerate(stems)}


async def test_each_fence_has_its_own_common_facts(store):
    one, other = f"{FOLDER}/train-00000.tfrecord", f"{FOLDER}0/train-00001.tfrecord"
    await FactsBeside(Session(), store).keep(one, PLAIN)
    await FactsBeside(Session(), store).keep(other, SKIPPED)
    assert await FactsBeside(Session(), store).recall([one, other]) == {one: PLAIN, other: SKIPPED}


async def test_facts_that_are_gone_are_not_guessed(store):
    kept = FactsBeside(Session(), store)
    stem = f"{FOLDER}/train-00000.tfrecord"
    await kept.keep(stem, PLAIN)
    for found in list(store.list(FOLDER)):
        store.delete(found.name)
    assert await kept.recall([stem]) == {}
