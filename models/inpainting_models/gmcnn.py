"""GMCNN, the generative multi-column network that paints holes of any shape (Wang et al., NeurIPS 2018).

Three columns look at the picture with 7x7, 5x5 and 3x3 kernels and are merged at full resolution. Layers are named as
in the authors' checkpoints, so that ``convert`` and a reader find each one.
"""

from typing import Any

import keras
from keras import ops

from inpainting_models.align_corners import AlignCornersResize

# What every column begins with: name, width as a multiple of `channels`, stride, dilation.
_TRUNK = (
    ("conv1", 1, 1, 1),
    ("conv2_downsample", 2, 2, 1),
    ("conv3", 2, 1, 1),
    ("conv4_downsample", 4, 2, 1),
    ("conv5", 4, 1, 1),
    ("conv6", 4, 1, 1),
    ("conv7_atrous", 4, 1, 2),
    ("conv8_atrous", 4, 1, 4),
    ("conv9_atrous", 4, 1, 8),
    ("conv10_atrous", 4, 1, 16),
    ("conv11_atrous", 4, 1, 32),
    ("conv11", 4, 1, 1),
    ("conv12", 4, 1, 1),
)
_KERNEL_PX = {"b1": 7, "b2": 5, "b3": 3}


@keras.saving.register_keras_serializable(package="darkroom")
class GMCNNGenerator(keras.Model):  # type: ignore[misc]
    """Paints the hole of each picture; called as ``model([images, masks])``.

    images: float `(batch, height, width, 3)`, **BGR** in [-1, 1], sides multiples of 4.
        What lies in the hole is ignored.
    masks: float `(batch, height, width, 1)`, 1 = hole, 0 = known.
    Returns the raw prediction `(batch, height, width, 3)` in [-1, 1], before it is stitched into the picture.

    Args:
        channels: width of the network, the paper's ``cnum``; 32 has 12,429,107 parameters.
        faithful: resize with aligned corners, as the published checkpoints need. ``False`` uses Keras's own resizes:
            for networks trained from scratch, which then export more simply.
        training_size: height and width that it was trained at; other sizes work less well.
    """

    multiple = 4

    def __init__(
        self,
        channels: int = 32,
        faithful: bool = True,
        training_size: tuple[int, int] = (256, 256),
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        # === Layers ===
        def convolution(name: str, filters: int, kernel_px: int, **options: Any) -> Any:
            options = {"activation": "elu", **options}
            return keras.layers.Conv2D(filters, kernel_px, padding="same", name=name, dtype=dtype, **options)

        def trunk(column: str) -> list[Any]:
            kernel_px = _KERNEL_PX[column]
            return [
                # The third column's first layer is 5x5 in the authors' code, not 3x3.
                convolution(
                    column + name,
                    multiple * channels,
                    5 if column + name == "b3conv1" else kernel_px,
                    strides=stride,
                    dilation_rate=dilation,
                )
                for name, multiple, stride, dilation in _TRUNK
                # Only networks wider than the published ones have the widest dilation.
                if dilation < 32 or channels > 32
            ]

        def enlarge(name: str, scale: int, interpolation: Any) -> Any:
            if faithful:
                return AlignCornersResize(scale, interpolation, name=name, dtype=dtype)
            return keras.layers.UpSampling2D(scale, interpolation=interpolation, name=name, dtype=dtype)

        columns = {
            "b1": [*trunk("b1"), enlarge("b1resize", 4, "bilinear")],
            "b2": [
                *trunk("b2"),
                enlarge("b2conv13_resize", 2, "nearest"),
                convolution("b2conv13_upsample", 2 * channels, 3),
                convolution("b2conv14", 2 * channels, 5),
                enlarge("b2resize", 2, "bilinear"),
            ],
            "b3": [
                *trunk("b3"),
                enlarge("b3conv13_resize", 2, "nearest"),
                convolution("b3conv13_upsample", 2 * channels, 3),
                convolution("b3conv14", 2 * channels, 3),
                enlarge("b3conv15_resize", 2, "nearest"),
                convolution("b3conv15_upsample", channels, 3),
                convolution("b3conv16", channels // 2, 3),
            ],
        }
        merge = [
            convolution("mergeconv17", channels // 2, 3),
            convolution("mergeconv18", 3, 3, activation=None),
        ]

        # === Functional Model ===
        images = keras.Input((None, None, 3), name="images", dtype="float32")
        masks = keras.Input((None, None, 1), name="masks", dtype="float32")
        known = images * (1.0 - masks)
        seen = ops.concatenate([known, ops.ones_like(masks), masks], axis=-1)
        painted = []
        for layers in columns.values():
            features = seen
            for layer in layers:
                features = layer(features)
            painted.append(features)
        prediction = ops.concatenate(painted, axis=-1)
        for layer in merge:
            prediction = layer(prediction)
        # Clipped, where other networks take a tanh: the authors' choice.
        prediction = ops.clip(ops.cast(prediction, "float32"), -1.0, 1.0)
        super().__init__(inputs=[images, masks], outputs=prediction, **kwargs)

        # === Config ===
        self.channels = channels
        self.faithful = faithful
        self.training_size = (int(training_size[0]), int(training_size[1]))
        self.layer_dtype = dtype

    def get_config(self) -> dict[str, Any]:
        return {
            "channels": self.channels,
            "faithful": self.faithful,
            "training_size": list(self.training_size),
            "dtype": self.layer_dtype,
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "GMCNNGenerator":
        return cls(**config)
