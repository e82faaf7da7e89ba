"""TensorFlow's own align-corners resizes, which Keras no longer offers."""

from typing import Any

import tensorflow as tf


def resize(maps: Any, size: tuple[Any, Any], interpolation: str) -> Any:
    """``maps`` `(batch, h, w, channels)` at ``size`` (height, width), in their own dtype."""
    operation = tf.raw_ops.ResizeBilinear if interpolation == "bilinear" else tf.raw_ops.ResizeNearestNeighbor
    resized = operation(images=maps, size=tf.stack(size), align_corners=True, half_pixel_centers=False)
    # The bilinear kernel answers in float32 whatever it was asked in.
    return tf.cast(resized, maps.dtype)
