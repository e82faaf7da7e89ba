"""Draws seeded masks of holes for inpainting: strokes, boxes and blobs; thin, medium and thick.

The numbers are those of LaMa's evaluation masks (Suvorov et al. 2021, ``configs/data_gen/random_*_256.yaml``), given
for an image whose shorter side is 256 pixels and scaled with it. Ours are: angles drawn evenly (LaMa's strokes run
only in eight directions), blobs, boxes in the thin family, and the bound on the area.
"""

from __future__ import annotations

import math
from typing import Any, Dict, NamedTuple, Sequence, Tuple

import cv2
import numpy as np

from dataset_handlers.image import Image

Range = Tuple[float, float]

FAMILIES = ("thin", "medium", "thick")
KINDS = ("strokes", "boxes", "blobs")


class Family(NamedTuple):
    """How many figures a mask has and how large they are, in pixels at a shorter side of 256."""

    strokes: Range
    stroke_width: Range
    stroke_length: Range
    boxes: Range
    box_side: Range
    margin: float
    """What boxes keep from the border."""
    blobs: Range
    blob_radius: Range


_FAMILIES: Dict[str, Family] = {
    "thin": Family((4, 50), (5, 15), (10, 50), (2, 10), (4, 20), 0, (3, 12), (3, 10)),
    "medium": Family((4, 5), (5, 55), (10, 110), (1, 5), (10, 50), 0, (1, 5), (8, 28)),
    "thick": Family((1, 5), (5, 105), (10, 210), (1, 3), (30, 150), 10, (1, 3), (20, 70)),
}
# LaMa draws strokes and boxes 1 to 0.3.
_WEIGHTS = {"strokes": 1.0, "boxes": 0.3, "blobs": 0.3}


def make_mask(
    shape: Sequence[int],
    rng: np.random.Generator,
    family: str = "mixed",
    kinds: Sequence[str] = KINDS,
    max_area: float = 0.5,
) -> Image:
    """Returns a mask of ``shape`` ``(height, width)``: uint8, 255 = hole, 0 = known.

    ``family`` is thin, medium, thick, or mixed (one of them, drawn evenly); one of ``kinds`` is drawn, strokes three
    times as often as each other kind. Never empty, and never more than ``max_area`` of the image: a mask that is too
    large is drawn again, and in the end its figures are shrunk.
    """
    height, width = int(shape[0]), int(shape[1])
    if family != "mixed" and family not in FAMILIES:
        raise ValueError(f"no mask family {family!r}; there are {', '.join(FAMILIES)} and mixed")
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise ValueError(f"no mask kinds {list(kinds)!r}; there are {', '.join(KINDS)}")
    chosen = _FAMILIES[FAMILIES[int(rng.integers(len(FAMILIES)))] if family == "mixed" else family]
    weights = np.array([_WEIGHTS[kind] for kind in kinds])
    kind = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
    scale = min(height, width) / 256
    while True:
        for _ in range(4):
            mask = np.zeros((height, width), np.uint8)
            _DRAW[kind](mask, rng, chosen, scale)
            if 0 < cv2.countNonZero(mask) <= max_area * height * width:
                return mask
        if scale < 0.5 / 256:
            # So small an image, or a bound, that not one figure fits: a single pixel is the smallest hole.
            mask[:] = 0
            mask[int(rng.integers(height)), int(rng.integers(width))] = 255
            return mask
        scale *= 0.7


def _strokes(mask: Image, rng: np.random.Generator, family: Family, scale: float) -> None:
    height, width = mask.shape
    for _ in range(_count(rng, family.strokes)):
        start = rng.random(2) * (width, height)
        segments = int(rng.integers(1, 6))
        angles = rng.uniform(0, 2 * math.pi, segments)
        lengths = rng.uniform(*family.stroke_length, segments) * scale
        widths = np.maximum(1, np.rint(rng.uniform(*family.stroke_width, segments) * scale)).astype(int)
        steps = np.stack([np.cos(angles), np.sin(angles)], axis=1) * lengths[:, None]
        for step, thickness in zip(steps, widths.tolist()):
            end = np.clip(start + step, 0, (width - 1, height - 1))
            cv2.line(mask, _point(start), _point(end), 255, thickness)
            start = end


def _boxes(mask: Image, rng: np.random.Generator, family: Family, scale: float) -> None:
    height, width = mask.shape
    margin = int(family.margin * scale)
    for _ in range(_count(rng, family.boxes)):
        sides = np.maximum(1, np.rint(rng.uniform(*family.box_side, 2) * scale)).astype(int)
        sides = np.minimum(sides, (max(1, height - 2 * margin), max(1, width - 2 * margin)))
        places = rng.random(2) * (height - 2 * margin - sides + 1)
        top, left = np.maximum(0, margin + places.astype(int))
        mask[top : top + sides[0], left : left + sides[1]] = 255


def _blobs(mask: Image, rng: np.random.Generator, family: Family, scale: float) -> None:
    height, width = mask.shape
    turn = np.linspace(0, 2 * math.pi, 96, endpoint=False)
    waves = np.arange(2, 7)
    for _ in range(_count(rng, family.blobs)):
        centre = rng.random(2) * (width, height)
        radius = max(0.5, float(rng.uniform(*family.blob_radius)) * scale)
        # A circle with a few waves along its rim, the short ones weaker: a smooth closed curve.
        phases = rng.uniform(0, 2 * math.pi, waves.size)
        heights = rng.uniform(-1, 1, waves.size) * (0.5 / waves)
        rim = radius * (1 + (heights[:, None] * np.cos(waves[:, None] * turn + phases[:, None])).sum(axis=0))
        stretch, tilt = float(rng.uniform(0.6, 1.6)), float(rng.uniform(0, math.pi))
        x, y = rim * np.cos(turn) * math.sqrt(stretch), rim * np.sin(turn) / math.sqrt(stretch)
        curve = np.stack([x * math.cos(tilt) - y * math.sin(tilt), x * math.sin(tilt) + y * math.cos(tilt)], axis=1)
        cv2.fillPoly(mask, [np.rint(curve + centre).astype(np.int32)], 255)


def _count(rng: np.random.Generator, bounds: Range) -> int:
    return int(rng.integers(int(bounds[0]), int(bounds[1]) + 1))


def _point(place: Any) -> Tuple[int, int]:
    return int(place[0]), int(place[1])


_DRAW = {"strokes": _strokes, "boxes": _boxes, "blobs": _blobs}
