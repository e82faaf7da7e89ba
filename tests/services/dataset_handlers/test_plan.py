"""The plan depends on the samples alone, and covers each of them once."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_handlers.errors import HandlerError
from dataset_handlers.plan import max_bad_records, order_samples, plan_shards, shard_count
from dataset_handlers.sample import Sample
from dataset_handlers.splits import normalise_splits

SHARES = normalise_splits({"train": 0.8, "validation": 0.1, "test": 0.1})


@given(st.sets(st.text(min_size=1), max_size=60), st.randoms(use_true_random=False))
def test_the_order_of_the_listing_has_no_say(ids: set[str], chance: random.Random) -> None:
    samples = [Sample(name) for name in sorted(ids)]
    shuffled = samples.copy()
    chance.shuffle(shuffled)
    assert order_samples(samples, SHARES) == order_samples(shuffled, SHARES)


@given(st.integers(0, 3000), st.integers(1, 5), st.integers(1, 300))
def test_shards_cover_each_sample_once(count: int, variations: int, examples_per_shard: int) -> None:
    listing = order_samples([Sample(str(number)) for number in range(count)], SHARES)
    shards = plan_shards(listing, examples_per_sample=variations, examples_per_shard=examples_per_shard)
    for split, samples in listing.items():
        covered = [place for shard in shards if shard.split == split for place in range(shard.start, shard.stop)]
        assert covered == list(range(len(samples)))
    assert sum(shard.examples for shard in shards) == count * variations
    assert all(shard.stop > shard.start for shard in shards)


@pytest.mark.parametrize(
    ("samples", "variations", "smallest", "shards"),
    [
        (1, 1, 16, 1),
        (31, 1, 16, 1),
        (63, 8, 31, 8),
        (64, 1, 16, 4),
        (128, 1, 16, 8),
        (100, 1, 62, 1),
        (1000, 1, 62, 8),
        (4096, 1, 256, 16),
        (1000, 10, 625, 40),
        (2, 9999, 1249, 2),
    ],
)
def test_the_number_of_shards_follows_from_the_number_of_examples(
    samples: int, variations: int, smallest: int, shards: int
) -> None:
    assert shard_count(samples, variations, 256, smallest) == shards


def test_a_small_split_of_a_large_dataset_has_few_shards() -> None:
    listing = {"train": samples_named(800), "validation": samples_named(100), "test": samples_named(100)}
    shards = plan_shards(listing, examples_per_sample=1, examples_per_shard=256)
    counts = {split: sum(shard.split == split for shard in shards) for split in listing}
    assert counts == {"train": 8, "validation": 1, "test": 1}


def samples_named(count: int) -> list[Sample]:
    return [Sample(f"{number}.jpg") for number in range(count)]


def test_a_photo_with_several_samples_stays_in_one_split() -> None:
    samples = [Sample(f"{photo}#{number}", source=f"{photo}.jpg") for photo in range(50) for number in range(3)]
    listing = order_samples(samples, SHARES)
    splits: dict[str, set[str]] = {}
    for split, members in listing.items():
        for sample in members:
            splits.setdefault(sample.source, set()).add(split)
    assert all(len(found) == 1 for found in splits.values())


def test_a_group_stays_in_one_split() -> None:
    listing = order_samples([Sample(f"{number}.jpg", group="scene 1") for number in range(40)], SHARES)
    assert len(listing) == 1


def test_a_prescribed_split_is_kept() -> None:
    listing = order_samples([Sample("a.jpg", split="test"), Sample("b.jpg", split="val")], SHARES)
    assert {split: [sample.id for sample in samples] for split, samples in listing.items()} == {
        "test": ["a.jpg"],
        "val": ["b.jpg"],
    }


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([Sample("a"), Sample("a")], "the id 'a' twice"),
        ([Sample("a", "x", "train"), Sample("b", "x", "test")], "photo 'x' is in the splits 'train' and 'test'"),
        ([Sample("a", split="Not A Split")], "names the split"),
        ([Sample("")], "a Sample with a text as id would do"),
        (["a.jpg"], "a Sample with a text as id would do"),
    ],
)
def test_a_wrong_listing_is_the_handlers_mistake(samples: list[Sample], message: str) -> None:
    with pytest.raises(HandlerError, match=message):
        order_samples(samples, SHARES)


@pytest.mark.parametrize(("samples", "fraction", "bad"), [(50, 0.01, 1), (1000, 0.01, 10), (1000, 0, 0), (3, 1, 3)])
def test_how_many_bad_records_are_allowed(samples: int, fraction: float, bad: int) -> None:
    assert max_bad_records(samples, fraction) == bad
