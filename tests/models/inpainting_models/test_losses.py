"""GMCNN's losses against plain NumPy, with the weights that the published code arrives at."""

import math

import numpy as np
import pytest
import tensorflow as tf

from inpainting_models.features import FixedFilters
from inpainting_models.gmcnn_critics import GMCNNPatchCritic
from inpainting_models.losses import (
    Box,
    confidence_weights,
    critic_loss,
    finetuning_loss,
    known_reconstruction,
    pretraining_loss,
    reconstruction,
)

RNG = np.random.default_rng(0)
TRUTH, PREDICTED = RNG.uniform(-1, 1, (2, 2, 24, 20, 3)).astype(np.float32)
MASK = np.zeros((1, 24, 20, 1), np.float32)
MASK[:, 6:18, 4:16] = 1


def numpy_confidence(mask, kernel, iterations=7):
    """The published recursion with the whole 64x64 kernel, SAME padding of an even size: 31 before, 32 after."""
    weights = np.zeros_like(mask, np.float64)
    for _ in range(iterations):
        padded = np.pad(1 - mask + weights, ((31, 32), (31, 32)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
        weights = np.einsum("yxij,ij->yx", windows, kernel) * mask
    return weights


def published_kernel():
    """``gauss_kernel(64, 1/40)`` as the authors wrote it."""
    interval = (2 / 40 + 1) / 64
    edges = np.linspace(-1 / 40 - interval / 2, 1 / 40 + interval / 2, 65)
    cumulative = np.array([(1 + math.erf(edge / math.sqrt(2))) / 2 for edge in edges])
    raw = np.sqrt(np.outer(np.diff(cumulative), np.diff(cumulative)))
    return raw / raw.sum()


def gaussian_kernel():
    places = np.arange(64) - 31.5
    raw = np.exp(-(places[:, None] ** 2 + places[None] ** 2) / (2 * 40**2))
    return raw / raw.sum()


def test_the_published_gaussian_is_a_box():
    kernel = published_kernel() * 64 * 64
    assert abs(kernel - 1).max() < 0.0006


@pytest.mark.parametrize(("faithful", "kernel"), [(True, published_kernel()), (False, gaussian_kernel())])
def test_confidence_spreads_from_the_rim(faithful, kernel):
    weights = np.asarray(confidence_weights(MASK, faithful=faithful))
    np.testing.assert_allclose(weights[0, :, :, 0], numpy_confidence(MASK[0, :, :, 0], kernel), atol=1e-5)


def test_confidence_is_larger_at_the_rim_than_in_the_middle():
    mask = np.zeros((1, 160, 160, 1), np.float32)
    mask[:, 20:140, 20:140] = 1
    weights = np.asarray(confidence_weights(mask))[0, :, :, 0]
    assert weights[20, 80] > 1.2 * weights[80, 80] > 0
    assert weights[10, 80] == 0


def test_the_pretraining_loss_has_the_published_weights():
    weights = numpy_confidence(MASK[0, :, :, 0], published_kernel())[None, :, :, None]
    error = np.abs(TRUTH - PREDICTED)
    terms = pretraining_loss(TRUTH, PREDICTED, MASK)
    assert float(terms["reconstruction"]) == pytest.approx(1.68 * (error * weights).mean(), rel=1e-5)
    assert float(terms["known"]) == pytest.approx(1.44 * (error * (1 - MASK)).mean() / (1 - MASK).mean(), rel=1e-5)
    box = Box(6, 4, 12, 12)
    cropped = (error * weights)[:, 6:18, 4:16].mean()
    assert float(pretraining_loss(TRUTH, PREDICTED, MASK, box)["reconstruction"]) == pytest.approx(
        1.68 * cropped, rel=1e-5
    )


def test_only_the_hole_pays_for_the_hole():
    elsewhere = np.where(MASK > 0, TRUTH, PREDICTED)
    assert float(reconstruction(TRUTH, elsewhere, confidence_weights(MASK))) == 0
    assert float(known_reconstruction(TRUTH, np.where(MASK > 0, PREDICTED, TRUTH), MASK)) == 0


def test_the_finetuning_loss_adds_texture_and_critics():
    scores = (np.array([1.0, 3.0], np.float32), np.array([[5.0], [7.0]], np.float32))
    first = pretraining_loss(TRUTH, PREDICTED, MASK)
    terms = finetuning_loss(TRUTH, PREDICTED, MASK, scores, FixedFilters(scales=2))
    assert float(terms["reconstruction"]) == float(first["reconstruction"])
    assert float(terms["known"]) == pytest.approx(2 * float(first["known"]))
    assert float(terms["adversarial"]) == pytest.approx(1e-3 * (-2 - 6))
    same = finetuning_loss(TRUTH, TRUTH, MASK, scores, FixedFilters(scales=2))
    assert 0 <= float(same["id_mrf"]) < 0.1 * float(terms["id_mrf"])
    box = finetuning_loss(TRUTH, PREDICTED, MASK, scores, FixedFilters(scales=2), Box(6, 4, 12, 12))
    assert float(box["id_mrf"]) != pytest.approx(float(terms["id_mrf"]))


def test_a_critic_learns_to_tell_real_from_painted():
    critic = GMCNNPatchCritic(4)
    real = np.full((2, 64, 64, 3), 0.5, np.float32)
    fake = RNG.uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)
    masks = tf.ones((1, 64, 64, 1))

    def losses():
        return critic_loss(lambda images: critic([images, masks]), real, fake, masks, seed=1)

    before = float(losses()["wasserstein"])
    for _ in range(8):
        with tf.GradientTape() as tape:
            loss = sum(losses().values())
        gradients = tape.gradient(loss, critic.trainable_weights)
        assert all(np.isfinite(gradient).all() for gradient in gradients)
        for weight, gradient in zip(critic.trainable_weights, gradients, strict=True):
            weight.assign(weight - 0.005 * gradient / (1e-6 + tf.norm(gradient)))
    assert float(losses()["wasserstein"]) < before
