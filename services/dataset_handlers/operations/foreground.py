"""Finds the colours that a foreground has by itself, without those of the background that shine through its edges.

The multi-level method of Germer, Uelwer, Conrad and Harmeling, "Fast Multi-Level Foreground Estimation" (ICPR 2020,
arXiv:2006.14970). Foreground F and background B minimise, at each pixel, ``(alpha F + (1 - alpha) B - image)^2`` plus
the squared differences of F and of B from their four neighbours, weighted by a small constant and by the difference in
alpha. It is solved from a single pixel up to the whole image; each level begins with the result of the one below. Ours
is Jacobi's iteration over whole images at once, where theirs goes pixel by pixel.
"""

from __future__ import annotations

from typing import Any, List, Sequence, Tuple

import cv2
import numpy as np

# The constant and the weight of a difference in alpha, as in the authors' implementation.
_REGULARISATION = 1e-5
_ALPHA_WEIGHT = 1.0
_SMALL_SIDE = 32
_SMALL_ITERATIONS, _LARGE_ITERATIONS = 10, 4

Array = Any


def estimate_foreground(image: Array, alpha: Array) -> Tuple[Array, Array]:
    """Returns foreground and background of ``image``, both float32 `(height, width, 3)` in [0, 1].

    ``image``: float32 `(height, width, 3)` in [0, 1]; ``alpha``: float32 `(height, width)` in [0, 1]. Where alpha is 1
    the foreground is the image, and where it is 0 the background is.
    """
    foreground = _mean(image, alpha > 0.9)
    background = _mean(image, alpha < 0.1)
    for height, width in _levels(*alpha.shape):
        # One plane for each colour: NumPy is slow where its innermost loop has three steps.
        planes = np.ascontiguousarray(_scaled(image, height, width).transpose(2, 0, 1))
        foreground, background = _refined(
            planes,
            _scaled(alpha, height, width),
            _enlarged(foreground, height, width),
            _enlarged(background, height, width),
            _LARGE_ITERATIONS if max(height, width) > _SMALL_SIDE else _SMALL_ITERATIONS,
        )
    known = alpha[:, :, None]
    foreground, background = foreground.transpose(1, 2, 0), background.transpose(1, 2, 0)
    return np.where(known >= 1, image, foreground), np.where(known <= 0, image, background)


def _levels(height: int, width: int) -> List[Tuple[int, int]]:
    count = max(1, int(np.ceil(np.log2(max(height, width)))))
    shares = [level / count for level in range(count + 1)]
    return [(max(1, round(height**share)), max(1, round(width**share))) for share in shares]


def _mean(image: Array, where: Array) -> Array:
    colour = image[where].mean(axis=0) if where.any() else image.reshape(-1, 3).mean(axis=0)
    return colour.astype(np.float32).reshape(3, 1, 1)


def _scaled(image: Array, height: int, width: int) -> Array:
    if image.shape[:2] == (height, width):
        return image
    scaled = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return scaled.reshape(height, width, *image.shape[2:])


def _enlarged(planes: Array, height: int, width: int) -> Array:
    rows = np.arange(height) * planes.shape[1] // height
    columns = np.arange(width) * planes.shape[2] // width
    return planes[:, rows][:, :, columns]


def _refined(image: Array, alpha: Array, foreground: Array, background: Array, iterations: int) -> Tuple[Array, Array]:
    weights = [_REGULARISATION + _ALPHA_WEIGHT * np.abs(near - alpha) for near in _neighbours(_bordered(alpha))]
    total = weights[0] + weights[1] + weights[2] + weights[3]
    clear = 1 - alpha
    # The two unknowns of a pixel have a closed solution once their neighbours are given.
    gain = 1 / (alpha * alpha + clear * clear + total)
    shares = [weight / total for weight in weights]
    alpha_gain, clear_gain = alpha * gain, clear * gain
    for _ in range(iterations):
        foreground_mean, background_mean = _weighted(foreground, shares), _weighted(background, shares)
        rest = image - alpha * foreground_mean - clear * background_mean
        foreground = np.clip(foreground_mean + alpha_gain * rest, 0, 1)
        background = np.clip(background_mean + clear_gain * rest, 0, 1)
    return foreground, background


def _weighted(planes: Array, shares: Sequence[Array]) -> Array:
    above, below, left, right = _neighbours(_bordered(planes))
    result = above * shares[0]
    for near, share in ((below, shares[1]), (left, shares[2]), (right, shares[3])):
        result += near * share
    return result


def _bordered(planes: Array) -> Array:
    sides = [(0, 0)] * (planes.ndim - 2) + [(1, 1), (1, 1)]
    return np.pad(planes, sides, mode="edge")


def _neighbours(bordered: Array) -> Tuple[Array, Array, Array, Array]:
    inner = slice(1, -1)
    return (
        bordered[..., :-2, inner],
        bordered[..., 2:, inner],
        bordered[..., inner, :-2],
        bordered[..., inner, 2:],
    )
