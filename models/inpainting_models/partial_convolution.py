"""A convolution that looks only at known pixels, and tells the next layer where it saw any (Liu et al., ECCV 2018)."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="darkroom")
class PartialConvolution(keras.layers.Layer):  # type: ignore[misc]
    """``layer(features, masks)`` gives the new features and their mask `(batch, height, width, 1)`, 1 = valid.

    features: a list of float `(batch, height, width, c_i)` maps, concatenated inside.
    masks: for each of them `(batch, height, width, 1 or c_i)`, 1 = valid. All channels of a map mostly share one mask,
    so one channel is enough: a convolution of one channel replaces the published one of C_in x C_out.

    Where a window has valid pixels the result is scaled by (pixels in the window) / (valid ones); elsewhere it is 0.
    The border counts as a hole.

    ``faithful=True`` keeps two habits of the Keras repository, which its weights were trained with: the scale is
    kh·kw over the valid values *of all input channels*, 1/C_in of the paper's, and empty windows get the bias too.
    """

    def __init__(self, filters: int, kernel_size: int, strides: int = 1, faithful: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.faithful = faithful

    def build(self, features_shape: list[tuple[Any, ...]], masks_shape: list[tuple[Any, ...]]) -> None:
        self.input_channels = sum(shape[-1] for shape in features_shape)
        shape = (self.kernel_size, self.kernel_size, self.input_channels, self.filters)
        # The Keras repository starts from Glorot's weights, the paper from He's.
        initializer = "glorot_uniform" if self.faithful else "he_normal"
        self.kernel = self.add_weight(shape=shape, initializer=initializer, name="kernel")
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, features: list[Any], masks: list[Any]) -> tuple[Any, Any]:
        known = [values * ops.cast(mask, values.dtype) for values, mask in zip(features, masks, strict=True)]
        # Counted in float32: half precision cannot hold 9 x 1024 exactly.
        counts = [
            ops.mean(ops.cast(mask, "float32"), axis=-1, keepdims=True) * values.shape[-1]
            for values, mask in zip(features, masks, strict=True)
        ]
        window = ops.ones((self.kernel_size, self.kernel_size, 1, 1), dtype="float32")
        valid = self._convolve(sum(counts[1:], counts[0]), window)
        seen = ops.clip(valid, 0.0, 1.0) if self.faithful else ops.cast(valid > 0, "float32")
        in_full = self.kernel_size**2 * (1 if self.faithful else self.input_channels)
        scale = in_full / (valid + 1e-8) * seen

        result = self._convolve(ops.concatenate(known, axis=-1), self.kernel)
        result = result * ops.cast(scale, result.dtype)
        bias = ops.cast(self.bias, result.dtype)
        result = result + (bias if self.faithful else bias * ops.cast(seen, result.dtype))
        return result, seen

    def _convolve(self, values: Any, kernel: Any) -> Any:
        # Padded by hand, equally on both sides: "same" with stride 2 would shift the picture by a pixel.
        margin = (self.kernel_size - 1) // 2
        padded = ops.pad(values, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
        return ops.conv(padded, ops.cast(kernel, values.dtype), strides=self.strides, padding="valid")

    def compute_output_spec(self, features: list[Any], masks: list[Any]) -> tuple[Any, Any]:
        batch, height, width = features[0].shape[:3]
        sides = [side if side is None else -(-side // self.strides) for side in (height, width)]
        return (
            keras.KerasTensor((batch, *sides, self.filters), dtype=self.compute_dtype),
            keras.KerasTensor((batch, *sides, 1), dtype="float32"),
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "faithful": self.faithful,
        }
