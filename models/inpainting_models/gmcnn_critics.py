"""GMCNN's critics: they score how real a picture looks, so that the generator can learn to paint real texture.

For rectangular holes a local critic sees the hole's box and a global one the whole picture; for strokes the local one
is a map of scores, of which those near the hole count.
"""

from typing import Any

import keras
from keras import ops

# Width of the six layers as multiples of `channels`; the patch critic has the first four.
_WIDTHS = (1, 2, 4, 8, 4, 2)


def _layers(widths: tuple[int, ...], channels: int) -> list[Any]:
    return [
        keras.layers.Conv2D(
            width * channels,
            5,
            strides=2,
            padding="same",
            # TensorFlow's default slope, which the authors use; Keras's own default is another.
            activation=keras.layers.LeakyReLU(negative_slope=0.2),
            name=f"conv{index}",
        )
        for index, width in enumerate(widths, 1)
    ]


@keras.saving.register_keras_serializable(package="darkroom")
class GMCNNCritic(keras.Model):  # type: ignore[misc]
    """Scores whole pictures: images `(batch, height, width, 3)` BGR in [-1, 1] to `(batch, 1)`, larger = more real.

    The last layer is dense, so a critic is built for one picture size: the training size for the global critic, the
    size of the hole's box for the local one. With 64 channels the convolutions have 8,402,944 parameters.
    """

    def __init__(self, image_size: tuple[int, int], channels: int = 64, **kwargs: Any) -> None:
        # === Layers ===
        convolutions = _layers(_WIDTHS, channels)
        flatten = keras.layers.Flatten(name="flatten")
        score = keras.layers.Dense(1, name="score")

        # === Functional Model ===
        images = keras.Input((*image_size, 3), name="images")
        features = images
        for convolution in convolutions:
            features = convolution(features)
        super().__init__(inputs=images, outputs=score(flatten(features)), **kwargs)

        # === Config ===
        self.image_size = (int(image_size[0]), int(image_size[1]))
        self.channels = channels

    def get_config(self) -> dict[str, Any]:
        return {
            "image_size": list(self.image_size),
            "channels": self.channels,
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "GMCNNCritic":
        return cls(**config)


@keras.saving.register_keras_serializable(package="darkroom")
class GMCNNPatchCritic(keras.Model):  # type: ignore[misc]
    """Scores the surroundings of strokes: ``critic([images, masks])`` gives `(batch,)`, larger = more real.

    The score is the mean over the patches that touch the hole. With 64 channels it has 4,319,361 parameters.
    """

    def __init__(self, channels: int = 64, **kwargs: Any) -> None:
        # === Layers ===
        convolutions = _layers(_WIDTHS[:4], channels)
        scores = keras.layers.Conv2D(1, 5, strides=2, padding="same", name="conv5")
        halve = [keras.layers.MaxPooling2D(2, padding="same", name=f"mask{index}") for index in range(1, 6)]

        # === Functional Model ===
        images = keras.Input((None, None, 3), name="images")
        masks = keras.Input((None, None, 1), name="masks")
        features, touched = images, masks
        for convolution in convolutions:
            features = convolution(features)
        for layer in halve:
            touched = layer(touched)
        total = ops.sum(scores(features) * touched, axis=(1, 2, 3))
        # The published code divides by zero where a random stroke came out empty, and trains on NaN from there.
        mean = total / ops.maximum(ops.sum(touched, axis=(1, 2, 3)), 1.0)
        super().__init__(inputs=[images, masks], outputs=mean, **kwargs)

        # === Config ===
        self.channels = channels

    def get_config(self) -> dict[str, Any]:
        return {"channels": self.channels, "name": self.name, "trainable": self.trainable}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "GMCNNPatchCritic":
        return cls(**config)
