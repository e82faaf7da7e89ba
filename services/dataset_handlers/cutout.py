"""A foreground cut out of its picture: its true colours and its alpha, ready to be laid over anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np

from dataset_handlers.errors import BadRawRecord
from dataset_handlers.image import Image
from dataset_handlers.operations import read_image
from dataset_handlers.operations.compose import to_float
from dataset_handlers.operations.foreground import estimate_foreground

COLOURS = ("auto", "estimate", "keep")

_MARGIN_PX = 16
"""Of the background around it: the estimate needs to see what may shine through."""


class Cutout(NamedTuple):
    """A foreground, no larger than the box around it needs."""

    colours: Any
    """float32 `(height, width, 3)` in [0, 1], as if the foreground went on beyond its edges."""
    alpha: Any
    """float32 `(height, width)` in [0, 1]."""

    def scaled(self, height: int, width: int) -> Any:
        """Returns float32 `(height, width, 4)`: colours times alpha, and alpha.

        Colours are weighed by alpha before they are averaged; else what hides behind alpha 0 would come into the edges.
        """
        opacity = self.alpha[:, :, None]
        return _scaled(np.concatenate([self.colours * opacity, opacity], axis=2), height, width)

    def scaled_colours(self, premultiplied: Any) -> Any:
        """Returns the colours alone for a result of `scaled`."""
        height, width = premultiplied.shape[:2]
        opacity = premultiplied[:, :, 3:]
        plain = _scaled(self.colours, height, width)
        return np.where(opacity > 1 / 512, premultiplied[:, :, :3] / np.maximum(opacity, 1 / 512), plain)


def read_cutout(
    picture: Path,
    alpha: Optional[Path],
    *,
    colours: str = "auto",
    blending: str = "srgb",
    at_most: Optional[Sequence[int]] = None,
) -> Cutout:
    """Reads a foreground, cut to the box of what is not clear; raises ``BadRawRecord``.

    ``alpha``: its matte; None: the picture's own alpha. ``colours``: ``keep`` takes the picture's; ``estimate`` takes
    the old background out of them; ``auto`` keeps those of a picture with alpha of its own that hides nothing behind
    it, and estimates all others. ``at_most`` ``(height, width)``: a larger one is scaled down to fit twice that size.
    """
    image, matte = _read(picture, alpha)
    estimated = colours == "estimate" or (colours == "auto" and (alpha is not None or _hides_a_picture(image, matte)))
    top, bottom, left, right = _box(matte, _MARGIN_PX)
    values = to_float(np.ascontiguousarray(image[top:bottom, left:right]), blending)
    opacity = to_float(matte[top:bottom, left:right])
    if at_most is not None:
        factor = min(2 * at_most[axis] / opacity.shape[axis] for axis in (0, 1))
        if factor < 1:
            size = tuple(max(1, round(side * factor)) for side in opacity.shape)
            # Colours of a finished cut-out mean nothing where it is clear: they may not be averaged into the others.
            values = _scaled(values, *size) if estimated else _scaled_by_alpha(values, opacity, *size)
            opacity = _scaled(opacity, *size)
    if estimated:
        values = estimate_foreground(values, opacity)[0]
    top, bottom, left, right = _box(opacity, 0)
    return Cutout(values[top:bottom, left:right], opacity[top:bottom, left:right])


def _read(picture: Path, alpha: Optional[Path]) -> Tuple[Image, Image]:
    if alpha is None:
        image = read_image(picture, channels=4)
        colour, matte = image[:, :, :3], image[:, :, 3]
    else:
        if not alpha.is_file():
            raise BadRawRecord(picture, f"it has no alpha matte; {alpha.name} in {alpha.parent.name} would do")
        colour, matte = read_image(picture), read_image(alpha, channels=1)
        if colour.shape[:2] != matte.shape:
            sizes = [f"{shape[1]}x{shape[0]}" for shape in (matte.shape, colour.shape)]
            raise BadRawRecord(picture, "its alpha matte is {} pixels, the picture {}".format(*sizes))
    if matte.min() == 255:
        own = "has no alpha; a PNG with alpha, or a matte beside it as NAME_alpha.png, would do"
        raise BadRawRecord(picture, own if alpha is None else "its alpha matte is white all over")
    if matte.max() == 0:
        raise BadRawRecord(picture, "its alpha is 0 everywhere: there is no foreground")
    return colour, matte


def _hides_a_picture(image: Image, matte: Image) -> bool:
    """Whether there is more than one plain colour behind alpha 0: the photo that was cut out of."""
    hidden = image[matte == 0]
    if not hidden.size:
        return False
    differs = np.abs(hidden.astype(np.int16) - np.median(hidden, axis=0)).max(axis=1) > 8
    return bool(differs.mean() > 0.1)


def _box(alpha: Any, margin: int) -> Tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(alpha.max(axis=1) > 0), np.flatnonzero(alpha.max(axis=0) > 0)
    height, width = alpha.shape
    return (
        max(0, int(rows[0]) - margin),
        min(height, int(rows[-1]) + 1 + margin),
        max(0, int(columns[0]) - margin),
        min(width, int(columns[-1]) + 1 + margin),
    )


def _scaled(values: Any, height: int, width: int) -> Any:
    if values.shape[:2] == (height, width):
        return values
    smaller = height <= values.shape[0] and width <= values.shape[1]
    # Linear where it grows: cubic would overshoot, and colours may not exceed their alpha.
    scaled = cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    return scaled.reshape(height, width, *values.shape[2:])


def _scaled_by_alpha(values: Any, alpha: Any, height: int, width: int) -> Any:
    opacity = alpha[:, :, None]
    weighed = _scaled(np.concatenate([values * opacity, opacity], axis=2), height, width)
    return weighed[:, :, :3] / np.maximum(weighed[:, :, 3:], 1e-6)
