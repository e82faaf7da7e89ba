"""A network as a painter must keep its own convention behind ours: RGB in [0, 1], True = hole, any size."""

import keras
import numpy as np
import pytest

from inpainting_models.gmcnn import GMCNNGenerator
from inpainting_models.keras_painter import keras_painter
from inpainting_models.model_file_error import ModelFileError
from inpainting_models.model_file_keras import save
from inpainting_models.model_file_painter import open_painter
from inpainting_models.pconv import PConvUNet

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
)

RNG = np.random.default_rng(0)
PHOTOS = RNG.random((2, 24, 36, 3)).astype(np.float32)
HOLES = np.zeros((2, 24, 36), bool)
HOLES[0, 4:15, 8:30] = HOLES[1, 10:, :9] = True


def test_gmcnn_paints_in_its_own_convention(tmp_path):
    network = GMCNNGenerator(4, training_size=(512, 680))
    bgr = PHOTOS[..., ::-1] * 2 - 1
    raw = np.asarray(network([bgr, HOLES[..., None].astype(np.float32)]))
    save(network, tmp_path / "places.keras")
    painter = keras_painter(tmp_path / "places.keras")
    assert (painter.name, painter.training_size, painter.multiple) == ("places", (512, 680), 4)
    painted = painter.paint(PHOTOS, HOLES)
    assert painted.dtype == np.float32
    np.testing.assert_allclose(painted, (raw[..., ::-1] + 1) / 2, atol=1e-6)


def test_our_networks_need_no_description(tmp_path):
    save(GMCNNGenerator(2), tmp_path / "gmcnn.keras")
    painter = open_painter(tmp_path / "gmcnn.keras", name="mine")
    assert (painter.name, painter.multiple) == ("mine", 4)
    np.testing.assert_array_equal(
        painter.paint(PHOTOS, HOLES), keras_painter(tmp_path / "gmcnn.keras").paint(PHOTOS, HOLES)
    )


def test_pconv_paints_in_its_own_convention():
    network = PConvUNet((4, 6), training_size=(256, 256))
    raw = np.asarray(network([PHOTOS, 1 - HOLES[..., None].astype(np.float32)]))
    painter = keras_painter(network, name="pconv")
    assert (painter.name, painter.training_size, painter.multiple) == ("pconv", (256, 256), 4)
    np.testing.assert_allclose(painter.paint(PHOTOS, HOLES), raw, atol=1e-6)


def test_odd_sizes_are_padded_and_cut_off_again():
    painter = keras_painter(GMCNNGenerator(2))
    assert painter.paint(PHOTOS[:, :21, :33], HOLES[:, :21, :33]).shape == (2, 21, 33, 3)


def test_a_batch_paints_like_its_photos_alone():
    painter = keras_painter(GMCNNGenerator(4))
    together = painter.paint(PHOTOS, HOLES)
    for index in range(2):
        alone = painter.paint(PHOTOS[index : index + 1], HOLES[index : index + 1])
        np.testing.assert_allclose(alone[0], together[index], atol=1e-5)


def test_painting_disturbs_no_training():
    """A preview in the middle of a training must neither lose its optimiser nor paint with old weights."""
    network = GMCNNGenerator(2)
    network.compile(optimizer="sgd", loss="mse")
    painter = keras_painter(network)
    before = painter.paint(PHOTOS, HOLES)
    network.set_weights([weight * 2 for weight in network.get_weights()])
    assert type(network.optimizer).__name__ == "SGD"
    assert np.abs(painter.paint(PHOTOS, HOLES) - before).max() > 0


def test_half_precision_paints_nearly_the_same():
    network = GMCNNGenerator(4)
    half = keras_painter(network, dtype="mixed_bfloat16").paint(PHOTOS, HOLES)
    full = keras_painter(network).paint(PHOTOS, HOLES)
    assert 0 < np.abs(half - full).max() < 0.02


def test_a_network_that_nobody_described_is_refused():
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(3, 1)], name="mine")
    with pytest.raises(ModelFileError, match="mine: is a Sequential, whose pictures and masks nobody has described"):
        keras_painter(model)
