"""One level of PatchMatch at a time: how a hole begins, is taken over from a coarser size, searched and voted on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inpainting_models.painting import Cancel, Cancelled
from inpainting_models.patchmatch_kernels import (
    CHANNELS,
    count_usage,
    finer_rows,
    measure_rows,
    search_rows,
    vote_rows,
)
from inpainting_models.patchmatch_onion import paint_layer
from inpainting_models.patchmatch_pyramid import Level
from inpainting_models.patchmatch_shifts import rim_shifts, shifted_sources

LAYER_PX = 2000
"""Pixels of a layer that are filled between two looks at whether to stop."""
FINE_RADIUS_PX = 32
"""How far the random search reaches where a coarser level has already found a source."""
BAND_ROWS = 16
"""Rows that one kernel call works on: short enough to stop between two, fixed so that threads do not change pixels."""
RIM_TRUST = 1.3
"""How much more a patch's vote counts for each pixel that it is nearer to the rim (Wexler et al. 2007)."""
REPEAT_COST = 400
"""What each use of an 8x8 cell beyond once costs; a patch that differs by 4 levels everywhere costs 3,136."""
NO_SHIFTS = np.zeros((0, 2), np.int32)


@dataclass
class Search:
    """What the steps on all levels share: randomness, threads, and whether anybody still wants the result."""

    rng: np.random.Generator
    pool: ThreadPoolExecutor
    cancel: Cancel | None

    def in_bands(self, rows: int, work: Callable[[int, int], None]) -> None:
        """Runs `work(first, last)` on bands of rows, at once on all cores; stops before the next band if cancelled."""

        def work_unless_cancelled(first: int) -> None:
            if self.cancel and self.cancel():
                raise Cancelled
            work(first, min(first + BAND_ROWS, rows))

        for _ in self.pool.map(work_unless_cancelled, range(0, rows, BAND_ROWS)):
            pass

    def seed(self) -> np.uint64:
        return np.uint64(self.rng.integers(2**63))

    def begin(self, level: Level, index: int) -> Level:
        """Fills the coarsest hole in both ways, layer by layer and by whole shifts, and returns the better one."""
        shifts = rim_shifts(level)
        ways = [self.begin_in_layers(level.copy())]
        shifted = shifted_sources(level, shifts)
        if shifted is not None:
            ways.append(self.begin_with(level.copy(), shifted))
        costs = [self.improve(way, index, max(level.is_hole.shape), shifts) for way in ways]
        return ways[int(np.argmin(costs))]

    def begin_with(self, level: Level, sources: NDArray[np.int32]) -> Level:
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

    def begin_in_layers(self, level: Level) -> Level:
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
                if self.cancel and self.cancel():
                    raise Cancelled
                piece = layer[first : first + LAYER_PX]
                paint_layer(level.image, is_known, piece, sources, level.is_source, field, cost, self.seed(), 3)
        window, rows, columns = level.window, *np.nonzero(level.is_target)
        y, x = rows + window.top, columns + window.left
        found = field[y, x]
        # Patches that only touch the hole had no layer: they begin anywhere.
        nowhere = (found[:, 0] < 0) | (level.is_source[found[:, 0], found[:, 1]] == 0)
        found[nowhere] = sources[self.rng.integers(len(sources), size=int(nowhere.sum()))]
        level.field[rows, columns] = found
        return level

    def refine_from(self, level: Level, coarse: Level) -> None:
        """Takes over a coarser level's sources and paints the hole with them."""
        seed = self.seed()

        def work(first: int, last: int) -> None:
            finer_rows(
                coarse.field,
                coarse.is_target,
                coarse.window.top,
                coarse.window.left,
                level.is_source,
                level.is_target,
                level.window.top,
                level.window.left,
                level.field,
                first,
                last,
                seed,
            )

        self.in_bands(level.window.height, work)
        self.vote(level, None)

    def improve(
        self, level: Level, index: int, radius_px: int = FINE_RADIUS_PX, shifts: NDArray[np.int32] = NO_SHIFTS
    ) -> float:
        """Alternates search and votes, often where the hole is small; returns the patches' mean cost in the end."""
        rounds, sweeps = (2, 2) if index == 0 else (min(3 + 2 * index, 12), 3)
        cost = np.zeros(level.is_target.shape, np.int32)
        penalty = np.zeros((level.is_hole.shape[0] // 8 + 1, level.is_hole.shape[1] // 8 + 1), np.int32)
        for done in range(rounds):
            count_usage(level.is_target, level.field, penalty)
            penalty = (np.maximum(penalty - 64, 0) * REPEAT_COST).astype(np.int32) // 16
            self.measure(level, cost, penalty)
            for sweep in range(sweeps):
                self.sweep(level, cost, penalty, shifts, sweep % 2 == 0, radius_px)
            if index or done < rounds - 1:
                self.vote(level, cost)
        return float(cost[level.is_target > 0].mean())

    def measure(self, level: Level, cost: NDArray[np.int32], penalty: NDArray[np.int32]) -> None:
        window = level.window
        self.in_bands(
            window.height,
            lambda first, last: measure_rows(
                level.image, level.is_target, window.top, window.left, level.field, cost, penalty, first, last
            ),
        )

    def sweep(
        self,
        level: Level,
        cost: NDArray[np.int32],
        penalty: NDArray[np.int32],
        shifts: NDArray[np.int32],
        forward: bool,
        radius_px: int,
    ) -> None:
        window, seed, before = level.window, self.seed(), level.field.copy()

        def work(first: int, last: int) -> None:
            search_rows(
                level.image,
                level.is_source,
                level.is_target,
                window.top,
                window.left,
                level.field,
                cost,
                before,
                penalty,
                shifts,
                first,
                last,
                forward,
                radius_px,
                seed,
            )

        self.in_bands(window.height, work)

    def vote(self, level: Level, cost: NDArray[np.int32] | None) -> None:
        window = level.window
        weight = np.ones(level.is_target.shape, np.float32)
        if cost is not None:
            typical = float(np.percentile(cost[level.is_target > 0], 75))
            weight = np.exp(-cost.astype(np.float32) / max(2 * typical, 1.0))
        inside_px = cv2.distanceTransform(level.is_hole[window.slices], cv2.DIST_L2, cv2.DIST_MASK_3)
        # Only the differences within a patch matter; far inside, the power would vanish.
        weight *= RIM_TRUST ** -np.minimum(inside_px, 60)
        self.in_bands(
            window.height,
            lambda first, last: vote_rows(
                level.image, level.is_hole, level.is_target, window.top, window.left, level.field, weight, first, last
            ),
        )
