"""Follows straight edges that meet the hole's rim, and tells how much of their way through the hole was painted."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from inpainting_models.evaluation.metrics_pixels import Mask, Photo
from inpainting_models.evaluation.metrics_sharpness import rim_distance

SMOOTHING_PX = 1.5
STRENGTH = 0.02
"""The least slope of a smoothed edge, per pixel, in a photo of range [0, 1]."""
COHERENCE = 0.8
"""How much of the slope around an edge's pixel must point one way: 1 = a straight line, 0 = none."""
LONGEST_PX = 96
SIDEWAYS_PX = 2
"""How far an edge may lie beside its straight line."""
SLANT = math.tan(math.radians(25))
FEWEST_STEPS = 12
"""Fewer steps along edges than this say nothing."""

Grid = npt.NDArray[np.float32]


class _Slopes(NamedTuple):
    y: Grid
    x: Grid


class _Starts(NamedTuple):
    y: Grid
    x: Grid
    normal_y: Grid
    normal_x: Grid


def edge_continuation(truth: Photo, result: Photo, mask: Mask) -> float:
    """Return the part of the true straight edges' way through the hole on which the result has the edge: 1 = all.

    From each strong and straight edge of the known pixels at the rim, its line is followed into the hole for as long
    as the truth has the edge there. A step of it counts as painted where the result, within 2 pixels beside, slopes at
    least half as much, the same way (bright side the same) and within 25 degrees. NaN where no such edge meets the rim.
    """
    true_slopes, slopes = _slopes(truth), _slopes(result)
    starts = _starts(true_slopes, mask)
    steps = painted = 0
    for sign in (1, -1):
        # The edge runs across its normal, one way or the other.
        along = (sign * starts.normal_x, -sign * starts.normal_y)
        going = np.ones(starts.y.shape, bool)
        entered = np.zeros(starts.y.shape, bool)
        for step in range(1, LONGEST_PX + 1):
            y, x = starts.y + step * along[0], starts.x + step * along[1]
            row, column = np.rint(y).astype(int), np.rint(x).astype(int)
            within = (row >= 0) & (row < mask.shape[0]) & (column >= 0) & (column < mask.shape[1])
            hole = np.zeros_like(going)
            hole[within] = mask[row[within], column[within]]
            entered |= hole
            # A start may be a few pixels before the rim; once inside, the first known pixel ends the way.
            going &= within & (hole | (~entered & (step <= 4)))
            if not going.any():
                break
            strength = _support(true_slopes, y, x, starts, going, STRENGTH)
            going &= strength > 0
            counted = going & hole
            if counted.any():
                steps += int(counted.sum())
                found = _support(slopes, y, x, starts, counted, np.asarray(strength / 2, np.float32))
                painted += int((found[counted] > 0).sum())
    return painted / steps if steps >= FEWEST_STEPS else math.nan


def _slopes(photo: Photo) -> _Slopes:
    grey = cv2.GaussianBlur(photo @ np.array([0.299, 0.587, 0.114], np.float32), (0, 0), SMOOTHING_PX)
    y, x = np.gradient(np.asarray(grey, np.float32))
    return _Slopes(np.asarray(y, np.float32), np.asarray(x, np.float32))


def _starts(slopes: _Slopes, mask: Mask) -> _Starts:
    yy, xx, xy = (cv2.GaussianBlur(product, (0, 0), 2 * SMOOTHING_PX) for product in _products(slopes))
    coherence = np.hypot(yy - xx, 2 * xy) / np.maximum(yy + xx, 1e-12)
    strength = np.hypot(slopes.y, slopes.x)
    rim = ~mask & (rim_distance(~mask) <= 2)
    strong = np.nonzero(rim & (strength > 1.5 * STRENGTH) & (coherence > COHERENCE))
    # The structure tensor's direction is steadier than one pixel's slope, which gives the sign.
    turn = 0.5 * np.arctan2(2 * xy[strong], xx[strong] - yy[strong])
    normal_y, normal_x = np.sin(turn), np.cos(turn)
    flip = np.where(normal_y * slopes.y[strong] + normal_x * slopes.x[strong] < 0, -1, 1)
    normal_y, normal_x = (normal_y * flip).astype(np.float32), (normal_x * flip).astype(np.float32)
    y, x = strong[0].astype(np.float32), strong[1].astype(np.float32)
    # Only the crest: its neighbours across the edge are weaker.
    here = strength[strong]
    crest = (here >= _at(strength, y + normal_y, x + normal_x)) & (here >= _at(strength, y - normal_y, x - normal_x))
    return _Starts(y[crest], x[crest], normal_y[crest], normal_x[crest])


def _products(slopes: _Slopes) -> tuple[Grid, Grid, Grid]:
    return slopes.y**2, slopes.x**2, slopes.y * slopes.x


def _support(
    slopes: _Slopes, y: Grid, x: Grid, starts: _Starts, wanted: npt.NDArray[np.bool_], least: Grid | float
) -> Grid:
    """Return the strongest slope along the normal beside each place that is at least `least`, or 0."""
    best = np.zeros(y.shape, np.float32)
    for beside in range(-SIDEWAYS_PX, SIDEWAYS_PX + 1):
        at_y, at_x = y + beside * starts.normal_y, x + beside * starts.normal_x
        down, right = _at(slopes.y, at_y, at_x), _at(slopes.x, at_y, at_x)
        across = down * starts.normal_y + right * starts.normal_x
        along = np.abs(right * starts.normal_y - down * starts.normal_x)
        fits = wanted & (across >= least) & (along <= SLANT * across)
        best = np.maximum(best, np.where(fits, across, 0))
    return best


def _at(grid: Grid, y: Grid, x: Grid) -> Grid:
    if not y.size:
        return np.empty(0, np.float32)
    # One column of places is the remapping's own form.
    values = cv2.remap(grid, x[:, None], y[:, None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(values, np.float32).reshape(-1)
