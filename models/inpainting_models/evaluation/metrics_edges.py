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
ALONG_PX = 3
"""Slopes are averaged so far along the line, both ways and in the hole only: grain cancels out, an edge stays."""
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

    @property
    def turned(self) -> _Starts:
        """The same edges with their bright side on the other one."""
        return self._replace(normal_y=-self.normal_y, normal_x=-self.normal_x)


def edge_continuation(truth: Photo, result: Photo, mask: Mask) -> float:
    """Return the part of the true straight edges' way through the hole on which the result has the edge: 1 = all.

    From each strong and straight edge of the known pixels at the rim, its line is followed into the hole for as long
    as the truth has the edge there. A step of it counts as painted where the result, within 2 pixels beside, slopes
    (averaged over 7 pixels along the line) at least half as much, the same way (bright side the same) and within 25
    degrees. Steps with the bright side on the other one count against it: noise has as many of both, so that it
    gets 0. NaN where no such edge meets the rim.
    """
    true_slopes, slopes = _slopes(truth), _slopes(result)
    inside = mask.astype(np.float32)
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
            strength = _support(true_slopes, inside, y, x, starts, going, STRENGTH)
            going &= strength > 0
            counted = going & hole
            if counted.any():
                steps += int(counted.sum())
                least = np.asarray(strength / 2, np.float32)
                for bright_side, other in ((1, starts), (-1, starts.turned)):
                    painted += bright_side * int((_support(slopes, inside, y, x, other, counted, least) > 0).sum())
    return max(0, painted) / steps if steps >= FEWEST_STEPS else math.nan


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
    slopes: _Slopes, inside: Grid, y: Grid, x: Grid, starts: _Starts, wanted: npt.NDArray[np.bool_], least: Grid | float
) -> Grid:
    """Return the strongest slope along the normal beside each place that is at least `least`, or 0."""
    best = np.zeros(y.shape, np.float32)
    chosen = np.flatnonzero(wanted)
    if not chosen.size:
        return best
    normal_y, normal_x = starts.normal_y[chosen], starts.normal_x[chosen]
    floor = least if isinstance(least, float) else least[chosen]
    for beside in range(-SIDEWAYS_PX, SIDEWAYS_PX + 1):
        down = right = weight = np.zeros(chosen.size, np.float32)
        for along in range(-ALONG_PX, ALONG_PX + 1):
            at_y = y[chosen] + beside * normal_y - along * normal_x
            at_x = x[chosen] + beside * normal_x + along * normal_y
            # Before the rim there is only the place itself.
            here = _at(inside, at_y, at_x) if along else np.ones(chosen.size, np.float32)
            down, right = down + here * _at(slopes.y, at_y, at_x), right + here * _at(slopes.x, at_y, at_x)
            weight = weight + here
        across = (down * normal_y + right * normal_x) / weight
        slant = np.abs(right * normal_y - down * normal_x) / weight
        fits = (across >= floor) & (slant <= SLANT * across)
        best[chosen] = np.maximum(best[chosen], np.where(fits, across, 0))
    return best


def _at(grid: Grid, y: Grid, x: Grid) -> Grid:
    if not y.size:
        return np.empty(0, np.float32)
    # One column of places is the remapping's own form.
    values = cv2.remap(grid, x[:, None], y[:, None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(values, np.float32).reshape(-1)
