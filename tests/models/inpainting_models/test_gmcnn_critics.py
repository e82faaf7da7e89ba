"""The critics must have the published sizes, and no empty stroke may break them."""

import numpy as np
import pytest
import tensorflow as tf

from inpainting_models.gmcnn_critics import GMCNNCritic, GMCNNPatchCritic

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("size", "dense"), [((256, 256), 4 * 4 * 128 + 1), ((128, 128), 2 * 2 * 128 + 1)])
def test_global_and_local_critic_have_the_published_number_of_parameters(size, dense):
    assert GMCNNCritic(size).count_params() == 8_402_944 + dense


def test_the_patch_critic_has_the_published_number_of_parameters():
    assert GMCNNPatchCritic().count_params() == 4_319_361


def test_scores_are_one_number_for_each_picture():
    images = RNG.uniform(-1, 1, (3, 64, 96, 3)).astype(np.float32)
    assert GMCNNCritic((64, 96), 2)(images).shape == (3, 1)
    assert GMCNNPatchCritic(2)([images, np.ones((3, 64, 96, 1), np.float32)]).shape == (3,)


def convolved(features, layers):
    for layer in layers:
        kernel, bias = layer.get_weights()
        features = tf.nn.leaky_relu(tf.nn.conv2d(features, kernel, 2, "SAME") + bias, alpha=0.2)
    return features


def test_critics_compute_what_is_published():
    images = tf.constant(RNG.uniform(-1, 1, (2, 64, 96, 3)).astype(np.float32))
    critic = GMCNNCritic((64, 96), 3)
    kernel, bias = critic.get_layer("score").get_weights()
    features = convolved(images, [critic.get_layer(f"conv{index}") for index in range(1, 7)])
    np.testing.assert_allclose(critic(images), tf.reshape(features, (2, -1)) @ kernel + bias, atol=1e-6)

    masks = tf.constant((RNG.random((2, 64, 96, 1)) > 0.999).astype(np.float32))
    patch = GMCNNPatchCritic(3)
    kernel, bias = patch.get_layer("conv5").get_weights()
    features = convolved(images, [patch.get_layer(f"conv{index}") for index in range(1, 5)])
    scores = tf.nn.conv2d(features, kernel, 2, "SAME") + bias
    touched = tf.nn.max_pool2d(masks, 32, 32, "SAME")
    assert 0 < tf.reduce_mean(touched) < 1
    expected = tf.reduce_sum(scores * touched, (1, 2, 3)) / tf.reduce_sum(touched, (1, 2, 3))
    np.testing.assert_allclose(patch([images, masks]), expected, atol=1e-6)


def test_only_patches_at_the_hole_are_scored():
    critic = GMCNNPatchCritic(2)
    images = RNG.uniform(-1, 1, (1, 256, 256, 3)).astype(np.float32)
    masks = np.zeros((1, 256, 256, 1), np.float32)
    masks[:, 5:20, 5:20] = 1
    far = images.copy()
    far[:, 200:, 200:] *= -1
    near = images.copy()
    near[:, :20, :20] *= -1
    score = np.asarray(critic([images, masks]))
    np.testing.assert_array_equal(critic([far, masks]), score)
    assert np.asarray(critic([near, masks])) != score


def test_an_empty_stroke_scores_zero_and_trains_on():
    """The published critic divided by an empty mask's area, and a rare empty stroke ended a training in NaN."""
    critic = GMCNNPatchCritic(2)
    images = tf.constant(RNG.uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32))
    with tf.GradientTape() as tape:
        score = critic([images, tf.zeros((1, 64, 64, 1))])
    assert np.asarray(score) == 0
    gradients = tape.gradient(score, critic.trainable_weights)
    assert all(np.isfinite(gradient).all() for gradient in gradients)
