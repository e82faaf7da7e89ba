"""The partial-convolution U-Net, which fills irregular holes from their rims inwards (Liu et al., ECCV 2018)."""

from collections.abc import Sequence
from typing import Any, Literal

import keras

from inpainting_models.partial_convolution import PartialConvolution

EncoderNormalisation = Literal["learn", "frozen", "batch"]
# Whether the encoder's batch normalisation uses the batch's statistics; None: as the caller trains or predicts.
_NORMALISATION_TRAINING: dict[str, bool | None] = {"learn": None, "frozen": False, "batch": True}


@keras.saving.register_keras_serializable(package="darkroom")
class SetBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Batch normalisation whose statistics are the batch's (``True``), the moving ones (``False``), or as asked."""

    def __init__(self, set_training: bool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.set_training = set_training

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        # Set here, not where the layer is called: a functional model passes its own `training` over that.
        chosen = training if self.set_training is None else self.set_training
        return super().call(inputs, training=chosen, mask=mask)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "set_training": self.set_training}


@keras.saving.register_keras_serializable(package="darkroom")
class PConvUNet(keras.Model):  # type: ignore[misc]
    """Paints the hole of each picture; called as ``model([images, masks])``.

    images: float `(batch, height, width, 3)`, RGB in [0, 1]; what lies in the hole is ignored.
    masks: float `(batch, height, width, 3 or 1)`, **1 = known, 0 = hole**: the opposite of GMCNN's.
    Sides must be multiples of 2 to the number of stages, 256 for the published eight, or the skips do not meet.
    Returns the raw prediction `(batch, height, width, 3)` in [0, 1], before it is stitched into the picture.

    Args:
        filters: width of each encoder stage; the published ones give 32,876,128 parameters.
        faithful: as the Keras repository computes it and its weights need: see ``PartialConvolution``, and its head of
            leaky ReLU, 1x1 convolution and sigmoid. ``False`` is the paper: no head, a linear last layer.
        encoder_normalisation: ``learn`` as usual; ``frozen`` for the second training stage (moving statistics, scale
            and offset still learn); ``batch``: the batch's statistics in prediction too, the repository's ``train_bn``.
        training_size: height and width that it was trained at.
    """

    def __init__(
        self,
        filters: Sequence[int] = (64, 128, 256, 512, 512, 512, 512, 512),
        faithful: bool = True,
        encoder_normalisation: EncoderNormalisation = "learn",
        training_size: tuple[int, int] = (512, 512),
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        if encoder_normalisation not in _NORMALISATION_TRAINING:
            raise ValueError(f"encoder_normalisation is learn, frozen or batch, not {encoder_normalisation!r}")
        stages = len(filters)

        # === Layers ===
        def convolution(number: int, width: int, kernel_px: int, strides: int = 1) -> Any:
            name = f"p_conv2d_{number}"
            return PartialConvolution(width, kernel_px, strides, faithful, name=name, dtype=dtype)

        def normalisation(name: str, training: bool | None = None) -> Any:
            return SetBatchNormalization(training, name=name, dtype=dtype)

        set_training = _NORMALISATION_TRAINING[encoder_normalisation]
        kernels_px = [7, 5, 5, *[3] * stages][:stages]
        encoder = [
            convolution(number, width, kernel_px, strides=2)
            for number, (width, kernel_px) in enumerate(zip(filters, kernels_px, strict=True), 1)
        ]
        encoder_normal = [None, *[normalisation(f"EncBN{number}", set_training) for number in range(1, stages)]]
        widths = [*reversed(filters[:-1]), 3]
        decoder = [convolution(stages + number, width, 3) for number, width in enumerate(widths, 1)]
        decoder_normal = [*[normalisation(f"DecBN{stages + number}") for number in range(1, stages)], None]
        rectify = keras.layers.ReLU(dtype=dtype)
        leak = keras.layers.LeakyReLU(negative_slope=0.2, dtype=dtype)
        double = keras.layers.UpSampling2D(2, dtype=dtype)
        double_mask = keras.layers.UpSampling2D(2, dtype="float32")
        head = keras.layers.Conv2D(3, 1, activation="sigmoid", name="outputs_img", dtype="float32")

        # === Functional Model ===
        images = keras.Input((None, None, 3), name="images", dtype="float32")
        masks = keras.Input((None, None, None), name="masks", dtype="float32")
        features, mask = images, masks
        skips = [(features, mask)]
        for layer, normal in zip(encoder, encoder_normal, strict=True):
            features, mask = layer([features], [mask])
            if normal is not None:
                features = normal(features)
            features = rectify(features)
            skips.append((features, mask))
        skips.pop()
        for layer, normal in zip(decoder, decoder_normal, strict=True):
            skip, skip_mask = skips.pop()
            features, mask = layer([skip, double(features)], [skip_mask, double_mask(mask)])
            if normal is not None:
                features = normal(features)
            if normal is not None or faithful:
                features = leak(features)
        prediction = head(features) if faithful else keras.ops.cast(features, "float32")
        super().__init__(inputs=[images, masks], outputs=prediction, **kwargs)

        # === Config ===
        self.filters = tuple(int(width) for width in filters)
        self.faithful = faithful
        self.encoder_normalisation = encoder_normalisation
        self.training_size = (int(training_size[0]), int(training_size[1]))
        self.layer_dtype = dtype

    @property
    def multiple(self) -> int:
        """What the sides of a picture must be multiples of."""
        return int(2 ** len(self.filters))

    def get_config(self) -> dict[str, Any]:
        return {
            "filters": list(self.filters),
            "faithful": self.faithful,
            "encoder_normalisation": self.encoder_normalisation,
            "training_size": list(self.training_size),
            "dtype": self.layer_dtype,
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "PConvUNet":
        return cls(**config)
