"""PConv's loss against plain NumPy, with the paper's weights."""

import numpy as np
import pytest

from inpainting_models.features import FixedFilters
from inpainting_models.losses_pconv import gram, pconv_loss, total_variation

RNG = np.random.default_rng(0)
TRUTH, PREDICTED = RNG.random((2, 2, 16, 20, 3)).astype(np.float32)
KNOWN = np.ones((2, 16, 20, 1), np.float32)
KNOWN[:, 4:12, 5:15] = 0


class Halves:
    """Two feature maps that a test can compute: the picture and its half."""

    name = "halves"

    def __call__(self, images):
        return {"whole": images, "half": images[:, ::2, ::2] * 2}


def numpy_gram(maps):
    batch, height, width, channels = maps.shape
    flat = maps.reshape(batch, -1, channels)
    return np.einsum("bpi,bpj->bij", flat, flat) / (channels * height * width)


def test_every_term_is_the_papers():
    features = Halves()
    completed = KNOWN * TRUTH + (1 - KNOWN) * PREDICTED
    truth, predicted, stitched = (features(images) for images in (TRUTH, PREDICTED, completed))

    def distance(one, other):
        return np.abs(one - other).mean()

    perceptual = sum(distance(maps[name], truth[name]) for maps in (predicted, stitched) for name in truth)
    style = sum(
        distance(numpy_gram(maps[name]), numpy_gram(truth[name])) for maps in (predicted, stitched) for name in truth
    )
    expected = {
        "known": distance(KNOWN * TRUTH, KNOWN * PREDICTED),
        "hole": 6 * distance((1 - KNOWN) * TRUTH, (1 - KNOWN) * PREDICTED),
        "perceptual": 0.05 * perceptual,
        "style": 120 * style,
    }
    terms = pconv_loss(TRUTH, PREDICTED, KNOWN, features)
    for name, value in expected.items():
        assert float(terms[name]) == pytest.approx(value, rel=1e-4), name
    assert float(terms["total_variation"]) == pytest.approx(0.1 * float(total_variation(completed, KNOWN)), rel=1e-5)


def test_a_perfect_prediction_pays_for_its_own_variation_only():
    terms = {name: float(value) for name, value in pconv_loss(TRUTH, TRUTH, KNOWN, FixedFilters(scales=2)).items()}
    assert terms.pop("total_variation") > 0
    assert set(terms.values()) == {0.0}


def test_total_variation_sees_the_hole_and_one_pixel_around_it():
    changed = TRUTH.copy()
    changed[:, :3] = changed[:, 13:] = changed[:, :, :4] = changed[:, :, 16:] = 0
    for faithful in (True, False):
        one, other = (float(total_variation(images, KNOWN, faithful=faithful)) for images in (TRUTH, changed))
        assert one == pytest.approx(other, rel=1e-6)
    changed[:, 3, 10] += 0.5
    assert float(total_variation(changed, KNOWN, faithful=False)) != pytest.approx(one, rel=1e-6)


def test_only_the_repositorys_total_variation_counts_the_step_to_black():
    flat = np.full_like(TRUTH, 0.5)
    assert float(total_variation(flat, KNOWN, faithful=False)) == 0
    # The region of 10 x 12 pixels has 2 x 12 steps down and 2 x 10 across, each of 0.5.
    expected = 0.5 * 24 / (15 * 20) + 0.5 * 20 / (16 * 19)
    assert float(total_variation(flat, KNOWN)) == pytest.approx(expected, rel=1e-5)


def test_the_gram_matrix_is_of_each_picture():
    np.testing.assert_allclose(gram(TRUTH), numpy_gram(TRUTH), rtol=1e-4)
