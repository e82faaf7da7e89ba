"""Gives a coarse hole its first filling, in several ways, and finds out which of them deserves to be refined."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from inpainting_models.patchmatch_kernels import CHANNELS
from inpainting_models.patchmatch_onion import paint_layer
from inpainting_models.patchmatch_pyramid import Level
from inpainting_models.patchmatch_search import Search
from inpainting_models.patchmatch_shifts import rim_shifts, shifted_sources

LAYER_PX = 2000
"""Pixels of a layer that are filled between two looks at whether to stop."""
BEGIN_LEVELS = 2
"""So many of the coarsest levels are begun at."""
DECIDE_LEVELS = 3
"""So many levels further down the beginnings are compared."""


def best_beginning(search: Search, levels: list[Level]) -> int:
    """Paints the coarse levels from several beginnings, keeps the one whose patches fit best; returns its level.

    A coarse hole has many plausible fillings, and which of them continues lines shows some levels further down.
    """
    decision = max(0, len(levels) - 1 - DECIDE_LEVELS)
    best_cost, best = math.inf, levels[decision]
    for first in range(max(decision, len(levels) - BEGIN_LEVELS), len(levels)):
        for level in begin(search, levels[first], first):
            cost = search.mean_cost(level)
            for index in reversed(range(decision, first)):
                coarse, level = level, levels[index].copy()
                search.refine_from(level, coarse)
                cost = search.improve(level, index)
            if cost < best_cost:
                best_cost, best = cost, level
    levels[decision] = best
    return decision


def begin(search: Search, level: Level, index: int) -> Iterator[Level]:
    """Yields the hole filled in each of two ways: layer by layer, and by whole shifts where they cover it."""
    shifts = rim_shifts(level)
    ways = [begin_in_layers(search, level.copy())]
    shifted = shifted_sources(level, shifts, search.check)
    if shifted is not None:
        ways.append(begin_with(level.copy(), shifted))
    for way in ways:
        search.improve(way, index, max(level.is_hole.shape), shifts)
        yield way


def begin_with(level: Level, sources: NDArray[np.int32]) -> Level:
    """Fills the hole with given pixels; a patch that only touches the hole follows the nearest one inside."""
    height, width = level.is_hole.shape
    _, nearest = cv2.distanceTransformWithLabels(
        1 - level.is_hole, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    places = np.argwhere(level.is_hole)
    pixels = level.image.reshape(height, width, CHANNELS)
    pixels[tuple(places.T)] = pixels[tuple(sources.T)]
    # Labels count the hole's pixels in the order of rows, from 1.
    of_label = np.zeros(int(nearest.max()) + 1, np.intp)
    of_label[nearest[tuple(places.T)]] = np.arange(len(places))
    rows, columns = np.nonzero(level.is_target)
    centres = np.stack([rows + level.window.top, columns + level.window.left], axis=1)
    index = of_label[nearest[tuple(centres.T)]]
    found = centres + sources[index] - places[index]
    found = np.clip(found, 0, (height - 1, width - 1))
    bad = level.is_source[tuple(found.T)] == 0
    found[bad] = sources[index][bad]
    level.field[rows, columns] = found
    return level


def begin_in_layers(search: Search, level: Level) -> Level:
    """Fills the hole layer by layer from the rim."""
    height, width = level.is_hole.shape
    field = np.full((height, width, 2), -1, np.int32)
    cost = np.full((height, width), 3e38, np.float32)
    is_known = (1 - level.is_hole).astype(np.uint8)
    sources = np.argwhere(level.is_source).astype(np.int32)
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
    while not is_known.all():
        layer = np.argwhere((is_known == 0) & (cv2.dilate(is_known, cross) == 1)).astype(np.int32)
        # In pieces, so that cancelling is heard: a scribble may be all rim.
        for first in range(0, len(layer), LAYER_PX):
            search.check()
            piece = layer[first : first + LAYER_PX]
            paint_layer(level.image, is_known, piece, sources, level.is_source, field, cost, search.seed(), 3)
    window, rows, columns = level.window, *np.nonzero(level.is_target)
    y, x = rows + window.top, columns + window.left
    found = field[y, x]
    # Patches that only touch the hole had no layer: they begin anywhere.
    nowhere = (found[:, 0] < 0) | (level.is_source[found[:, 0], found[:, 1]] == 0)
    found[nowhere] = sources[search.rng.integers(len(sources), size=int(nowhere.sum()))]
    level.field[rows, columns] = found
    return level
