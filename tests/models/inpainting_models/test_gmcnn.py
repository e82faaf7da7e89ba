"""GMCNN must be the published network in size, and keep the published conventions."""

import numpy as np
import pytest
import tensorflow as tf

from inpainting_models.gmcnn import GMCNNGenerator
from inpainting_models.model_file_keras import load, save, with_dtype

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
)

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, (2, 16, 24, 3)).astype(np.float32)
MASKS = (RNG.random((2, 16, 24, 1)) > 0.7).astype(np.float32)


def test_it_has_the_published_number_of_parameters():
    network = GMCNNGenerator()
    counts = dict.fromkeys(("b1", "b2", "b3", "me"), 0)
    for layer in network.layers:
        if layer.weights:
            counts[layer.name[:2]] += layer.count_params()
    assert counts == {"b1": 7_134_144, "b2": 3_816_768, "b3": 1_447_792, "me": 30_403}
    assert sum(np.prod(weight.shape) for weight in network.trainable_weights) == 12_429_107
    assert len(network.weights) == 88


def test_what_lies_in_the_hole_cannot_be_seen():
    network = GMCNNGenerator(4)
    other = np.where(MASKS > 0, -IMAGES, IMAGES)
    np.testing.assert_array_equal(network([IMAGES, MASKS]), network([other, MASKS]))


@pytest.mark.parametrize("faithful", [True, False])
def test_it_comes_back_from_its_file(tmp_path, faithful):
    network = GMCNNGenerator(4, faithful=faithful, training_size=(512, 680))
    expected = np.asarray(network([IMAGES, MASKS]))
    assert expected.shape == IMAGES.shape
    assert np.abs(expected).max() <= 1
    # A model may be called as its owner likes.
    path = tmp_path / "mine"
    save(network, path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]
    copy = load(path)
    assert (copy.channels, copy.faithful, copy.training_size) == (4, faithful, (512, 680))
    np.testing.assert_array_equal(copy([IMAGES, MASKS]), expected)


def test_faithful_and_native_resizes_differ():
    faithful, native = GMCNNGenerator(4), GMCNNGenerator(4, faithful=False)
    weights = [RNG.normal(size=weight.shape) / np.sqrt(np.prod(weight.shape[:-1]) / 2) for weight in faithful.weights]
    faithful.set_weights(weights)
    native.set_weights(weights)
    published, other = np.asarray(faithful([IMAGES, MASKS])), np.asarray(native([IMAGES, MASKS]))
    # By more than rounding: a checkpoint in the wrong mode paints another picture.
    assert np.abs(published - other).max() > 0.01 * np.abs(published).max()


def test_bfloat16_stays_close_to_float32():
    network = GMCNNGenerator(8)
    half = with_dtype(network, "mixed_bfloat16")
    error = np.abs(np.asarray(half([IMAGES, MASKS])) - np.asarray(network([IMAGES, MASKS])))
    assert 0 < error.max() < 0.05


def test_every_weight_learns():
    network = GMCNNGenerator(4)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(network([IMAGES, MASKS])))
    gradients = tape.gradient(loss, network.trainable_weights)
    assert all(gradient is not None and np.isfinite(gradient).all() for gradient in gradients)
