"""The gradient penalty of critics whose slope is known."""

import numpy as np
import pytest
import tensorflow as tf

from inpainting_models.gradient_penalty import gradient_penalty, input_gradients

RNG = np.random.default_rng(0)
SLOPE = RNG.normal(size=(1, 4, 5, 3)).astype(np.float32)
REAL, FAKE = RNG.normal(size=(2, 2, 4, 5, 3)).astype(np.float32)
MASK = (RNG.random((1, 4, 5, 1)) > 0.5).astype(np.float32)


def linear(images):
    return tf.reduce_sum(images * SLOPE, axis=(1, 2, 3))


def test_a_linear_critic_pays_for_its_slope_in_the_hole():
    expected = (np.sqrt((SLOPE**2).sum()) - 1) ** 2
    assert float(gradient_penalty(linear, REAL, FAKE)) == pytest.approx(expected, rel=1e-5)
    masked = (np.sqrt((SLOPE**2 * MASK).sum()) - 1) ** 2
    assert float(gradient_penalty(linear, REAL, FAKE, MASK)) == pytest.approx(masked, rel=1e-5)


def test_it_looks_between_real_and_fake():
    def square(images):
        return tf.reduce_sum(images**2, axis=(1, 2, 3)) / 2

    mixing = np.array([0.25, 0.75], np.float32).reshape(2, 1, 1, 1)
    places = REAL + mixing * (FAKE - REAL)
    expected = np.mean((np.sqrt((places**2).sum(axis=(1, 2, 3))) - 1) ** 2)
    assert float(gradient_penalty(square, REAL, FAKE, mixing=mixing)) == pytest.approx(expected, rel=1e-5)


def test_the_penalty_itself_can_be_learnt_from():
    factor = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(lambda images: factor * linear(images), REAL, FAKE)
    norm = np.sqrt((SLOPE**2).sum())
    assert float(tape.gradient(penalty, factor)) == pytest.approx(2 * (2 * norm - 1) * norm, rel=1e-4)


def test_only_the_published_penalty_is_nan_with_an_empty_mask():
    for faithful in (True, False):
        factor = tf.Variable(2.0)
        with tf.GradientTape() as tape:
            penalty = gradient_penalty(
                lambda images, by=factor: by * linear(images), REAL, FAKE, MASK * 0, faithful=faithful
            )
        assert np.isfinite(float(tape.gradient(penalty, factor))) is not faithful


def test_gradients_are_of_each_input():
    np.testing.assert_allclose(input_gradients(linear, REAL), np.repeat(SLOPE, 2, axis=0), rtol=1e-6)
