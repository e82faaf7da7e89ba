"""Draws the suite's holes: six families of figures, grown until the hole has the wanted part of the photo.

Sizes are LaMa's for a shorter side of 512 (Suvorov et al. 2021, ``configs/data_gen/random_*_512.yaml``), scaled with
the photo; scratches and blobs are ours. Everything is computed from distances and not by a drawing library, whose
lines change between versions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Rng = np.random.Generator
Figure = tuple[int, int, Mask]  # top, left, and what it covers from there

FAMILIES = ("thin", "medium", "thick", "box", "blob", "scratch")
REFERENCE_SIDE_PX = 512
BORDER_MARGIN_PX = 50
"""What a hole without border keeps from the photo's edge, at a shorter side of 512."""


class Strokes(NamedTuple):
    """Bounds at a shorter side of 512 pixels."""

    segments: tuple[int, int]
    width_px: tuple[float, float]
    length_px: tuple[float, float]
    bend: float
    """The largest turn between two segments, in radians."""


STROKES = {
    "thin": Strokes((1, 5), (5, 24), (10, 109), math.pi),
    "medium": Strokes((1, 5), (5, 104), (10, 209), math.pi),
    "thick": Strokes((1, 5), (5, 254), (10, 459), math.pi),
    "scratch": Strokes((3, 8), (1, 3.5), (40, 120), 0.12),
}
BOX_SIDE_PX = (30, 300)
BLOB_RADIUS_PX = (15, 130)


def make_hole(shape: Sequence[int], family: str, area: tuple[float, float], border: bool, rng: Rng) -> Mask:
    """Return a mask of `shape` (True = hole) whose part of the photo lies in `(area[0], area[1]]`.

    With `border` it touches the photo's edge, without it keeps 50 pixels from it (at a shorter side of 512).
    """
    height, width = int(shape[0]), int(shape[1])
    scale = min(height, width) / REFERENCE_SIDE_PX
    margin = 0 if border else max(1, round(BORDER_MARGIN_PX * scale))
    if not border and (height - 2 * margin) * (width - 2 * margin) < area[1] * height * width:
        raise ValueError(f"a photo of {width}x{height} has no room for a hole of {area[1]:.0%} away from its border")
    low, high = area[0] * height * width, area[1] * height * width
    wanted = low + (high - low) * _between(rng, 0.2, 0.95)
    mask = np.zeros((height, width), bool)
    covered, shrink = 0, 1.0
    while covered < wanted:
        start = _start(mask, margin, border and covered == 0, rng)
        top, left, figure = _figure(family, mask.shape, start, scale * shrink, margin, rng)
        window = mask[top : top + figure.shape[0], left : left + figure.shape[1]]
        gained = int(np.count_nonzero(figure & ~window))
        if covered + gained > high or (border and covered == 0 and not _touches(top, left, figure, mask.shape)):
            # Too large for what is left of the hole: the next ones are smaller, in the end a pixel.
            shrink *= 0.85
            continue
        window |= figure
        covered += gained
    return mask


def _figure(family: str, shape: tuple[int, ...], start: list[float], scale: float, margin: int, rng: Rng) -> Figure:
    if family in STROKES:
        return _stroke(STROKES[family], shape, start, scale, margin, rng)
    if family == "box":
        return _box(shape, start, scale, margin, rng)
    if family == "blob":
        return _blob(shape, start, scale, margin, rng)
    raise ValueError(f"no mask family {family!r}; there are {', '.join(FAMILIES)}")


def _stroke(kind: Strokes, shape: tuple[int, ...], start: list[float], scale: float, margin: int, rng: Rng) -> Figure:
    count = kind.segments[0] + int(rng.random() * (kind.segments[1] - kind.segments[0] + 1))
    angle = _between(rng, 0, 2 * math.pi)
    points, radii = [start], []
    for _ in range(count):
        angle += _between(rng, -kind.bend, kind.bend)
        length = _between(rng, *kind.length_px) * scale
        radius = max(0.5, _between(rng, *kind.width_px) * scale / 2)
        # Strokes turn back at the bounds: clipped ones would draw a frame.
        y, back_y = _folded(points[-1][0] + length * math.sin(angle), shape[0], margin + radius)
        x, back_x = _folded(points[-1][1] + length * math.cos(angle), shape[1], margin + radius)
        angle = math.atan2(math.sin(angle) * back_y, math.cos(angle) * back_x)
        points.append([y, x])
        radii.append(radius)
    low, high = _window(points, max(radii), shape, margin)
    figure = np.zeros((high[0] - low[0], high[1] - low[1]), bool)
    for begin, end, radius in zip(points, points[1:], radii, strict=False):
        (top, left), (bottom, right) = _window([begin, end], radius, shape, margin)
        down = np.arange(top, bottom)[:, None] - begin[0]
        right_of = np.arange(left, right)[None, :] - begin[1]
        dy, dx = end[0] - begin[0], end[1] - begin[1]
        along = np.clip((down * dy + right_of * dx) / max(dy * dy + dx * dx, 1e-9), 0, 1)
        near = (down - along * dy) ** 2 + (right_of - along * dx) ** 2 <= radius * radius
        figure[top - low[0] : bottom - low[0], left - low[1] : right - low[1]] |= near
    return low[0], low[1], figure


def _box(shape: tuple[int, ...], start: list[float], scale: float, margin: int, rng: Rng) -> Figure:
    sides = [max(1, round(_between(rng, *BOX_SIDE_PX) * scale)) for _ in (0, 1)]
    sides = [min(side, shape[axis] - 2 * margin) for axis, side in enumerate(sides)]
    corner = [start[axis] - sides[axis] / 2 for axis in (0, 1)]
    top, left = (round(min(max(corner[axis], margin), shape[axis] - margin - sides[axis])) for axis in (0, 1))
    return top, left, np.ones(sides, bool)


def _blob(shape: tuple[int, ...], start: list[float], scale: float, margin: int, rng: Rng) -> Figure:
    # A circle with a few waves along its rim, the short ones weaker, then stretched and tilted.
    radius = max(0.5, _between(rng, *BLOB_RADIUS_PX) * scale)
    waves = [(order, _between(rng, -0.5, 0.5) / order, _between(rng, 0, 2 * math.pi)) for order in range(2, 7)]
    stretch, tilt = math.sqrt(_between(rng, 0.6, 1.6)), _between(rng, 0, math.pi)
    centre = [_inside(start[axis], shape[axis], margin + radius / 2) for axis in (0, 1)]
    (top, left), (bottom, right) = _window([centre], radius * 2.5, shape, margin)
    y = np.arange(top, bottom)[:, None] - centre[0]
    x = np.arange(left, right)[None, :] - centre[1]
    along = (x * math.cos(tilt) + y * math.sin(tilt)) / stretch
    across = (y * math.cos(tilt) - x * math.sin(tilt)) * stretch
    turn = np.arctan2(across, along)
    rim = radius * (1 + sum(height * np.cos(order * turn + phase) for order, height, phase in waves))
    figure = np.hypot(along, across) <= np.maximum(rim, 0.5)
    return top, left, figure


def _start(mask: Mask, margin: int, on_edge: bool, rng: Rng) -> list[float]:
    height, width = mask.shape
    y = _between(rng, margin, height - 1 - margin)
    x = _between(rng, margin, width - 1 - margin)
    if on_edge:
        side = int(rng.random() * 4)
        y = (0, height - 1, y, y)[side]
        x = (x, x, 0, width - 1)[side]
    return [float(y), float(x)]


def _window(
    points: list[list[float]], reach: float, shape: tuple[int, ...], margin: int
) -> tuple[list[int], list[int]]:
    low = [max(margin, math.floor(min(point[axis] for point in points) - reach)) for axis in (0, 1)]
    high = [min(shape[axis] - margin, math.ceil(max(point[axis] for point in points) + reach) + 1) for axis in (0, 1)]
    return low, [max(high[axis], low[axis]) for axis in (0, 1)]


def _touches(top: int, left: int, figure: Mask, shape: tuple[int, ...]) -> bool:
    edges = [
        figure[0].any() and top == 0,
        figure[:, 0].any() and left == 0,
        figure[-1].any() and top + figure.shape[0] == shape[0],
        figure[:, -1].any() and left + figure.shape[1] == shape[1],
    ]
    return figure.size > 0 and any(edges)


def _folded(value: float, length: int, margin: float) -> tuple[float, int]:
    """Return the value mirrored at the bounds until it lies within, and -1 if that turned its direction."""
    low = min(margin, (length - 1) / 2)
    room = length - 1 - 2 * low
    if room <= 0:
        return low, 1
    turns, rest = divmod(value - low, room)
    return (low + rest, 1) if turns % 2 == 0 else (low + room - rest, -1)


def _inside(value: float, length: int, margin: float) -> float:
    margin = min(margin, (length - 1) / 2)
    return min(max(value, margin), length - 1 - margin)


def _between(rng: Rng, low: float, high: float) -> float:
    return low + (high - low) * float(rng.random())
