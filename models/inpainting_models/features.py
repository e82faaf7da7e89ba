"""Gives losses something to compare that is more like seeing than pixels are.

``FixedFilters`` needs no weights and is this project's own; ``features_vgg`` is what the papers used, when a weights
file is at hand. Both are called with pictures and give named feature maps, from fine to coarse.
"""

from typing import Any, Protocol

import numpy as np
from keras import ops


class Features(Protocol):
    """Named feature maps of pictures, from fine to coarse."""

    name: str

    def __call__(self, images: Any) -> dict[str, Any]:
        """images: float `(batch, height, width, 3)`, RGB in [0, 1]; each map is `(batch, h, w, channels)`."""


class FixedFilters:
    """Responses of fixed random orthogonal filters at several scales: no training, no weights, no downloads.

    They see local texture and colour steps but know no objects; a loss on them is *not* the papers' perceptual or style
    loss, and is never to be reported as one.
    """

    name = "fixed filters"

    def __init__(self, filters: int = 64, kernel_px: int = 7, scales: int = 3, seed: int = 0) -> None:
        size = kernel_px * kernel_px * 3
        if not 1 <= filters <= size - 3:
            raise ValueError(f"{kernel_px}x{kernel_px} filters of three colours are at most {size - 3}, not {filters}")
        self.scales = scales
        drawn = np.random.default_rng(seed).normal(size=(size, filters))
        # Blind to flat colour: what is left is texture.
        drawn = drawn.reshape(-1, 3, filters)
        drawn = (drawn - drawn.mean(axis=0)).reshape(size, filters)
        orthogonal, triangle = np.linalg.qr(drawn)
        # The sign of a column is LAPACK's choice; this makes it ours.
        orthogonal = orthogonal * np.sign(np.diag(triangle))
        self._kernel = orthogonal.reshape(kernel_px, kernel_px, 3, filters).astype(np.float32)

    def __call__(self, images: Any) -> dict[str, Any]:
        maps = {}
        for scale in range(self.scales):
            if scale:
                images = ops.average_pool(images, 2, strides=2, padding="same")
            maps[f"scale{scale}"] = ops.conv(images, self._kernel, padding="same")
        return maps


def to_rgb(images: Any) -> Any:
    """GMCNN's pictures (BGR in [-1, 1]) as features take them (RGB in [0, 1])."""
    return (ops.flip(images, axis=-1) + 1.0) / 2.0
