"""Enlarges feature maps the way TensorFlow 1 did: the corner pixels of both grids lie on each other.

The published GMCNN weights were trained with ``align_corners=True``. Today's resizes put pixel centres half a pixel
inside, which samples other places, so a published checkpoint gives other pictures with them.
"""

from typing import Any, Literal

import keras
from keras import ops

Interpolation = Literal["bilinear", "nearest"]


@keras.saving.register_keras_serializable(package="darkroom")
class AlignCornersResize(keras.layers.Layer):  # type: ignore[misc]
    """Multiplies both sides of ``(batch, height, width, channels)`` maps by ``scale``, corners on corners."""

    def __init__(self, scale: int, interpolation: Interpolation = "bilinear", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if interpolation not in ("bilinear", "nearest"):
            raise ValueError(f"interpolation is 'bilinear' or 'nearest', not {interpolation!r}")
        self.scale = scale
        self.interpolation = interpolation

    def call(self, inputs: Any) -> Any:
        _, height, width, _ = ops.shape(inputs)
        size = (height * self.scale, width * self.scale)
        if keras.backend.backend() == "tensorflow":
            # The same numbers as below (tested), from the kernel that the checkpoints were trained with: much faster.
            from inpainting_models import align_corners_tensorflow

            return align_corners_tensorflow.resize(inputs, size, self.interpolation)
        resize = resize_bilinear if self.interpolation == "bilinear" else resize_nearest
        return resize(inputs, *size)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, channels = input_shape
        return batch, height and height * self.scale, width and width * self.scale, channels

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "interpolation": self.interpolation}


def resize_bilinear(maps: Any, height: int, width: int) -> Any:
    """``maps`` `(batch, h, w, channels)` at `(height, width)`, linear between the four neighbours."""
    return _linear(_linear(maps, height, axis=1), width, axis=2)


def resize_nearest(maps: Any, height: int, width: int) -> Any:
    """``maps`` `(batch, h, w, channels)` at `(height, width)`, each pixel a copy of the nearest one."""
    for axis, size in ((1, height), (2, width)):
        nearest = ops.floor(_positions(ops.shape(maps)[axis], size) + 0.5)
        maps = ops.take(maps, ops.cast(nearest, "int32"), axis=axis)
    return maps


def _linear(maps: Any, size: int, axis: int) -> Any:
    source_size = ops.shape(maps)[axis]
    positions = _positions(source_size, size)
    lower = ops.floor(positions)
    upper = ops.minimum(lower + 1, ops.cast(source_size - 1, "float32"))
    shape = [1, 1, 1, 1]
    shape[axis] = -1
    weight = ops.cast(ops.reshape(positions - lower, shape), maps.dtype)
    first = ops.take(maps, ops.cast(lower, "int32"), axis=axis)
    second = ops.take(maps, ops.cast(upper, "int32"), axis=axis)
    return first + (second - first) * weight


def _positions(source_size: int, size: int) -> Any:
    """Where each of ``size`` pixels lies on a line of ``source_size`` pixels, float32 as TensorFlow computes it."""
    ratio = ops.cast(source_size - 1, "float32") / ops.cast(ops.maximum(size - 1, 1), "float32")
    return ops.cast(ops.arange(size), "float32") * ratio
