"""The PConv U-Net must be the published network in size, and keep the published conventions."""

import keras
import numpy as np
import pytest

from inpainting_models.model_file_keras import load, save
from inpainting_models.pconv import PConvUNet

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
)

RNG = np.random.default_rng(0)
IMAGES = RNG.random((2, 16, 24, 3)).astype(np.float32)
KNOWN = (RNG.random((2, 16, 24, 1)) > 0.3).astype(np.float32)
SMALL = (4, 6, 8)


def test_it_has_the_published_number_of_parameters():
    network = PConvUNet()
    assert network.count_params() == 32_876_128
    assert sum(np.prod(weight.shape) for weight in network.trainable_weights) == 32_865_248
    assert network.multiple == 256
    # The paper's network is the same without the repository's 1x1 head.
    assert PConvUNet(faithful=False).count_params() == 32_876_128 - 12


@pytest.mark.parametrize("faithful", [True, False])
def test_it_comes_back_from_its_file(tmp_path, faithful):
    network = PConvUNet(SMALL, faithful=faithful, encoder_normalisation="frozen")
    expected = np.asarray(network([IMAGES, KNOWN]))
    assert expected.shape == IMAGES.shape
    save(network, tmp_path / "pconv.keras")
    copy = load(tmp_path / "pconv.keras")
    assert (copy.filters, copy.faithful, copy.encoder_normalisation) == (SMALL, faithful, "frozen")
    np.testing.assert_array_equal(copy([IMAGES, KNOWN]), expected)


def test_what_lies_in_the_hole_cannot_be_seen():
    network = PConvUNet(SMALL)
    other = np.where(KNOWN > 0, IMAGES, 1 - IMAGES)
    np.testing.assert_array_equal(network([IMAGES, KNOWN]), network([other, KNOWN]))


def test_a_mask_may_have_one_channel_or_three():
    network = PConvUNet(SMALL)
    np.testing.assert_allclose(network([IMAGES, KNOWN]), network([IMAGES, KNOWN.repeat(3, -1)]), atol=1e-6)


def test_the_second_training_stage_freezes_the_encoders_statistics_only():
    statistics = {}
    for mode in ("learn", "frozen"):
        network = PConvUNet(SMALL, encoder_normalisation=mode)
        network([IMAGES, KNOWN], training=True)
        statistics[mode] = {
            name: float(np.abs(network.get_layer(name).moving_mean.numpy()).max()) for name in ("EncBN1", "DecBN4")
        }
        assert len(network.get_layer("EncBN1").trainable_weights) == 2, "scale and offset still learn"
    assert statistics["learn"]["EncBN1"] > 0
    assert statistics["frozen"]["EncBN1"] == 0
    assert statistics["frozen"]["DecBN4"] > 0


def test_batch_statistics_can_be_used_in_prediction_as_the_repository_did():
    keras.utils.set_random_seed(0)
    learnt, batch = PConvUNet(SMALL), PConvUNet(SMALL, encoder_normalisation="batch")
    batch.set_weights(learnt.get_weights())
    one = np.asarray(batch([IMAGES[:1], KNOWN[:1]]))
    assert np.abs(one - np.asarray(learnt([IMAGES[:1], KNOWN[:1]]))).max() > 1e-5
    assert np.abs(one - np.asarray(batch([IMAGES, KNOWN]))[:1]).max() > 1e-5


def test_another_mode_is_refused():
    with pytest.raises(ValueError, match="learn, frozen or batch, not 'thaw'"):
        PConvUNet(SMALL, encoder_normalisation="thaw")
