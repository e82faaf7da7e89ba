"""Keeps a critic's slope near one, which makes its scores a Wasserstein distance (Gulrajani et al., 2017)."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

LAMBDA = 10.0


def gradient_penalty(
    critic: Callable[[Any], Any],
    real: Any,
    fake: Any,
    masks: Any = None,
    *,
    mixing: Any = None,
    faithful: bool = True,
    seed: Any = None,
) -> Any:
    """The mean of (slope - 1)² at random places between real and fake pictures; multiply it by ``LAMBDA``.

    Args:
        critic: gives scores of images `(batch, height, width, 3)`.
        masks: `(batch or 1, height, width, 1)`; the slope counts where they are 1. None: everywhere.
        mixing: `(batch, 1, 1, 1)` in [0, 1], the share of fake in each picture; None: drawn from ``seed``.
        faithful: no guard in the square root, as published: its gradient is NaN where the slope is exactly 0, as with
            an empty mask. ``False`` guards it.
    """
    if mixing is None:
        mixing = keras.random.uniform((ops.shape(real)[0], 1, 1, 1), seed=seed)
    gradients = input_gradients(critic, real + mixing * (fake - real))
    squares = ops.square(gradients) if masks is None else ops.square(gradients) * masks
    slopes = ops.sqrt(ops.sum(squares, axis=(1, 2, 3)) + (0.0 if faithful else 1e-12))
    return ops.mean(ops.square(slopes - 1.0))


def input_gradients(function: Callable[[Any], Any], inputs: Any) -> Any:
    """How the sum of ``function(inputs)`` changes with each input; itself differentiable."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        inputs = tf.convert_to_tensor(inputs)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total = tf.reduce_sum(function(inputs))
        return tape.gradient(total, inputs)
    if backend == "jax":
        import jax  # type: ignore[import-not-found, unused-ignore]

        return jax.grad(lambda values: ops.sum(function(values)))(inputs)
    raise NotImplementedError(f"gradients of inputs need the TensorFlow or JAX backend of Keras, not {backend}")
