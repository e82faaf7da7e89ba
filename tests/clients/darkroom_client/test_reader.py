"""Every example is read once, by one worker, in an order that its seed settles."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from darkroom_client import Dataset, InvalidArgument
from darkroom_client.reader import iterate


@pytest.fixture
def dataset(dataset_folder) -> Dataset:
    return Dataset(dataset_folder)


def labels(dataset, **options) -> list[int]:
    return [int(example["label"]) for example in iterate(dataset, "train", decode=False, **options)]


@given(workers=st.integers(1, 100), seed=st.none() | st.integers(0, 2**40), buffer=st.integers(1, 200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
def test_each_example_falls_to_one_worker_and_evenly(dataset, workers, seed, buffer):
    shares = [
        labels(dataset, worker=worker, workers=workers, shuffle_seed=seed, shuffle_buffer=buffer)
        for worker in range(workers)
    ]
    assert sorted(itertools.chain(*shares)) == list(range(20, 100))
    sizes = [len(share) for share in shares]
    assert max(sizes) - min(sizes) <= 1


def test_unshuffled_examples_come_as_they_are_stored(dataset):
    assert labels(dataset) == list(range(20, 100))


def test_the_same_seed_gives_the_same_order_and_another_one_another(dataset):
    assert labels(dataset, shuffle_seed=7) == labels(dataset, shuffle_seed=7)
    assert labels(dataset, shuffle_seed=7) != labels(dataset, shuffle_seed=8)
    assert labels(dataset, shuffle_seed=7) != labels(dataset)


def test_a_small_buffer_still_mixes_by_the_order_of_shards(dataset):
    order = labels(dataset, shuffle_seed=3, shuffle_buffer=1)
    assert sorted(order) == list(range(20, 100))


def test_a_worker_that_there_is_not_is_refused(dataset):
    with pytest.raises(InvalidArgument, match="workers count from 0"):
        labels(dataset, worker=2, workers=2)


def test_examples_are_decoded_as_the_manifest_says(dataset):
    example = next(dataset.as_numpy("train"))
    np.testing.assert_array_equal(example["image"], np.full((8, 8, 3), 20, np.uint8))
    np.testing.assert_array_equal(example["box"], np.arange(4) + np.float32(20))
    assert example["name"] == "photo-20"
    assert example["noise"].shape == (4096,)
    assert example["tags"].tolist() == [0, 1, 2]


def test_batches_stack_what_has_one_shape_and_list_the_rest(dataset):
    batches = list(dataset.as_numpy("train", batch_size=32))
    assert [len(batch["label"]) for batch in batches] == [32, 32, 16]
    assert batches[0]["image"].shape == (32, 8, 8, 3)
    assert batches[0]["box"].shape == (32, 4)
    assert isinstance(batches[0]["tags"], list)
    assert batches[0]["name"][:2] == ["photo-20", "photo-21"]


def test_batch_size_is_the_read_option_unless_given(dataset_folder):
    dataset = Dataset(dataset_folder, {"batch_size": 10})
    assert next(dataset.as_numpy("test"))["label"].shape == (10,)
    assert np.ndim(next(dataset.as_numpy("test", batch_size=0))["label"]) == 0
