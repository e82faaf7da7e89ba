"""Trains a small network to fill holes, for a few steps, on the dataset that `darkroom request` hands over.

darkroom request NAME -- python train.py [PICTURE.png]
"""

from __future__ import annotations

import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import keras
import numpy as np
import tensorflow as tf

from darkroom_client import open_dataset

STEPS = 60
BATCH_SIZE = 16


def small_network() -> keras.Model:
    """Photo with holes and mask in, `(height, width, 4)`; the whole photo out, in [0, 1]."""
    inputs = keras.Input((None, None, 4))
    x = keras.layers.Conv2D(32, 5, 2, "same", activation="elu")(inputs)
    x = keras.layers.Conv2D(64, 3, 2, "same", activation="elu")(x)
    for dilation in (1, 2, 4, 8):
        x = keras.layers.Conv2D(64, 3, padding="same", dilation_rate=dilation, activation="elu")(x)
    x = keras.layers.Conv2DTranspose(32, 4, 2, "same", activation="elu")(x)
    x = keras.layers.Conv2DTranspose(16, 4, 2, "same", activation="elu")(x)
    return keras.Model(inputs, keras.layers.Conv2D(3, 3, padding="same", activation="sigmoid")(x))


def with_hole(example: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return (photo with the hole grey, and the mask), photo, mask."""
    photo = tf.cast(example["image"], tf.float32) / 255.0
    mask = tf.cast(example["mask"] > 127, tf.float32)
    return tf.concat([photo * (1 - mask) + 0.5 * mask, mask], -1), photo, mask


def main() -> None:
    """Train, print the loss, and draw what the network fills in."""
    dataset = open_dataset()
    examples = dataset.as_tf("train", shuffle_seed=7).map(with_hole).repeat().batch(BATCH_SIZE).take(STEPS)
    model = small_network()
    optimizer = keras.optimizers.Adam(2e-3)
    print(f"training on {dataset.splits['train']:,} examples, {model.count_params():,} parameters, {STEPS} steps")

    @tf.function
    def step(holed: tf.Tensor, photo: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            error = tf.abs(model(holed, training=True) - photo)
            loss = tf.reduce_sum(error * mask) / (3 * tf.reduce_sum(mask) + 1) + 0.2 * tf.reduce_mean(error)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    started = time.monotonic()
    for number, batch in enumerate(examples, 1):
        loss = step(*batch)
        if number == 1 or number % 10 == 0:
            rate = number * BATCH_SIZE / (time.monotonic() - started)
            print(f"step {number:3}/{STEPS}  loss {float(loss):.4f}  {rate:.0f} images/s", flush=True)
    if len(sys.argv) > 1:
        draw(model, dataset.as_tf("train", shuffle_seed=1).map(with_hole).batch(6), sys.argv[1])


def draw(model: keras.Model, examples: tf.data.Dataset, path: str) -> None:
    """Write rows of photo, photo with its hole, and what the network made of it."""
    holed, photo, mask = next(iter(examples))
    filled = photo * (1 - mask) + model(holed) * mask
    rows = [np.concatenate([photo[i], holed[i, ..., :3], filled[i]], axis=1) for i in range(len(photo))]
    cv2.imwrite(path, (np.concatenate(rows)[..., ::-1] * 255).round().astype(np.uint8))


if __name__ == "__main__":
    main()
