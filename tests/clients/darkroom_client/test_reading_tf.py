"""TensorFlow reads the same values as NumPy, in an order that the seed settles."""

import numpy as np
import pytest

from darkroom_client import Dataset

tf = pytest.importorskip("tensorflow")


@pytest.fixture
def dataset(dataset_folder) -> Dataset:
    return Dataset(dataset_folder)


def labels(examples) -> list[int]:
    return [int(label) for example in examples for label in np.atleast_1d(example["label"].numpy())]


def test_tensorflow_and_numpy_read_the_same(dataset):
    for by_tf, by_numpy in zip(dataset.as_tf("train"), dataset.as_numpy("train"), strict=True):
        for name in ("image", "label", "box", "noise", "tags"):
            np.testing.assert_array_equal(by_tf[name].numpy(), by_numpy[name])
        assert by_tf["name"].numpy().decode() == by_numpy["name"]


def test_shapes_and_counts_are_known_before_reading(dataset):
    spec = dataset.as_tf("train", batch_size=4).element_spec
    assert spec["image"].dtype == tf.uint8
    assert dataset.as_tf("train").element_spec["image"].shape == (8, 8, 3)
    assert dataset.as_tf("train").cardinality() == 80
    assert dataset.as_tf("train", batch_size=32).cardinality() == 3


def test_each_epoch_has_its_own_order_and_each_run_the_same(dataset):
    first, second = dataset.as_tf("train", shuffle_seed=7), dataset.as_tf("train", shuffle_seed=7)
    epochs = [labels(first), labels(first)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(20, 100))
    assert epochs[0] != epochs[1]
    assert [labels(second), labels(second)] == epochs
    assert labels(dataset.as_tf("train", shuffle_seed=8)) != epochs[0]


def test_examples_whose_shapes_differ_make_ragged_batches(dataset):
    batch = next(iter(dataset.as_tf("train", batch_size=4)))
    assert batch["image"].shape == (4, 8, 8, 3)
    assert batch["tags"].to_list() == [[0, 1, 2], [0], [0, 1], [0, 1, 2]]


def test_the_read_option_makes_batches(dataset_folder):
    dataset = Dataset(dataset_folder, {"batch_size": 10})
    assert next(iter(dataset.as_tf("test")))["label"].shape == (10,)
    assert next(iter(dataset.as_tf("test", batch_size=0)))["label"].shape == ()


def test_bytes_stay_as_stored_without_decoding(dataset):
    example = next(iter(dataset.as_tf("train", decode=False)))
    assert example["image"].numpy()[:4] == b"\x89PNG"
    assert len(example["noise"].numpy()) == 4096


def test_keras_trains_on_it(dataset):
    import keras

    train = dataset.as_tf("train", shuffle_seed=1, batch_size=16).map(
        lambda example: (tf.cast(example["image"], tf.float32) / 255, example["box"])
    )
    model = keras.Sequential([keras.layers.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(4)])
    model.compile("sgd", "mse")
    assert len(model.fit(train, epochs=2, shuffle=False, verbose=0).history["loss"]) == 2
