"""One level of PatchMatch at a time: how a hole begins, is taken over from a coarser size, searched and voted on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from inpainting_models.grain import ring_around
from inpainting_models.membrane import spread
from inpainting_models.painting import Cancel, Mask, Photo, stop_if
from inpainting_models.patchmatch_kernels import (
    CHANNELS,
    count_usage,
    finer_rows,
    measure_rows,
    search_rows,
    vote_rows,
)
from inpainting_models.patchmatch_onion import paint_layer
from inpainting_models.patchmatch_pyramid import Level, roughness, sources_of
from inpainting_models.patchmatch_shifts import rim_shifts, shifted_sources

LAYER_PX = 2000
"""Pixels of a layer that are filled between two looks at whether to stop."""
FINE_RADIUS_PX = 32
"""How far the random search reaches where a coarser level has already found a source."""
GUIDE_SIGMA_PX = 1.0
GUIDE_SWEEPS = 6
GUIDE_ROUNDS = 1
OWN_WIDTH_PX = 5
MOST_GUIDED_PX = 2_500
"""A coarse fill is taken up at the finest level whose hole is no larger."""
MOST_SHIFT_AREA_PX = 500_000
BEGIN_LEVELS = 2
"""So many of the coarsest levels are begun at."""
DECIDE_LEVELS = 3
"""So many levels further down the beginnings are compared."""
BAND_ROWS = 16
"""Rows that one kernel call works on: short enough to stop between two, fixed so that threads do not change pixels."""
RIM_TRUST = 1.3
"""How much more a patch's vote counts for each pixel that it is nearer to the rim (Wexler et al. 2007)."""
REPEAT_COST = 400
"""What each use of an 8x8 cell beyond once costs; a patch that differs by 4 levels everywhere costs 3,136."""
NO_SHIFTS = np.zeros((0, 2), np.int32)


def guided_level(levels: list[Level], coarse_step_px: float) -> int:
    """Returns the level at which a coarse fill is taken up: about the fill's own resolution, and small enough."""
    for index, level in enumerate(levels):
        if np.count_nonzero(level.is_hole) <= MOST_GUIDED_PX and 2**index >= 0.7 * coarse_step_px:
            return index
    return len(levels) - 1


def _roughness_of_fill(pixels: NDArray[np.uint8], hole: Mask) -> NDArray[np.float32]:
    """Returns how rough the fill is to be: as it is itself if it is sharp, as its surroundings if it is blurred."""
    own = roughness(np.ascontiguousarray(pixels[..., :3]), np.zeros_like(hole), OWN_WIDTH_PX).astype(np.float32)
    rim = ring_around(hole, OWN_WIDTH_PX)
    around = spread(pixels[..., 3:].astype(np.float32), ~hole)[..., 0]
    if not rim.any() or own[rim].mean() < 1:
        return around
    # Channel 3 was measured at native size: the rim says what the same roughness is called at this one.
    scale = float(pixels[..., 3][rim].mean() / own[rim].mean())
    sharp = min(max(2.5 * float(own[hole].mean() / own[rim].mean()) - 1.25, 0.0), 1.0)
    result: NDArray[np.float32] = sharp * np.minimum(own * scale, 255) + (1 - sharp) * around
    return result


def _no_penalty(level: Level) -> NDArray[np.int32]:
    return np.zeros((level.is_hole.shape[0] // 8 + 1, level.is_hole.shape[1] // 8 + 1), np.int32)


@dataclass
class Search:
    """What the steps on all levels share: randomness, threads, and whether anybody still wants the result."""

    rng: np.random.Generator
    pool: ThreadPoolExecutor
    cancel: Cancel | None

    def in_bands(self, rows: int, work: Callable[[int, int], None]) -> None:
        """Runs `work(first, last)` on bands of rows, at once on all cores; stops before the next band if cancelled."""

        def work_unless_cancelled(first: int) -> None:
            self.check()
            work(first, min(first + BAND_ROWS, rows))

        for _ in self.pool.map(work_unless_cancelled, range(0, rows, BAND_ROWS)):
            pass

    def check(self) -> None:
        stop_if(self.cancel)

    def seed(self) -> np.uint64:
        return np.uint64(self.rng.integers(2**63))

    def begin(self, level: Level, index: int) -> Iterator[Level]:
        """Yields the hole filled in each of two ways: layer by layer, and by whole shifts where they cover it."""
        shifts = rim_shifts(level)
        ways = [self.begin_in_layers(level.copy())]
        shifted = shifted_sources(level, shifts, self.check)
        if shifted is not None:
            ways.append(self.begin_with(level.copy(), shifted))
        for way in ways:
            self.improve(way, index, max(level.is_hole.shape), shifts)
            yield way

    def best_beginning(self, levels: list[Level]) -> int:
        """Paints the coarse levels from several beginnings, keeps the one whose patches fit best; returns its level.

        A coarse hole has many plausible fillings, and which of them continues lines shows some levels further down.
        """
        decision = max(0, len(levels) - 1 - DECIDE_LEVELS)
        best_cost, best = math.inf, levels[decision]
        for first in range(max(decision, len(levels) - BEGIN_LEVELS), len(levels)):
            for level in self.begin(levels[first], first):
                cost = self.mean_cost(level)
                for index in reversed(range(decision, first)):
                    coarse, level = level, levels[index].copy()
                    self.refine_from(level, coarse)
                    cost = self.improve(level, index)
                if cost < best_cost:
                    best_cost, best = cost, level
        levels[decision] = best
        return decision

    def mean_cost(self, level: Level) -> float:
        """Returns how much the patches differ from their sources, in the mean."""
        cost = np.zeros(level.is_target.shape, np.int32)
        self.measure(
            level, cost, np.zeros((level.is_hole.shape[0] // 8 + 1, level.is_hole.shape[1] // 8 + 1), np.int32)
        )
        return float(cost[level.is_target > 0].mean())

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

    def begin_guided(self, level: Level, index: int, coarse: Photo) -> Level:
        """Looks for patches that look like the coarse fill from afar, then paints with them as they are."""
        height, width = level.is_hole.shape
        pixels = level.image.reshape(height, width, CHANNELS)
        hole = level.is_hole > 0
        fill = cv2.convertScaleAbs(coarse, alpha=255)
        bottom, right = height * 2**index - fill.shape[0], width * 2**index - fill.shape[1]
        fill = cv2.copyMakeBorder(fill, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
        pixels[hole, :3] = cv2.resize(fill, (width, height), interpolation=cv2.INTER_AREA)[hole]
        pixels[hole, 3] = _roughness_of_fill(pixels, hole)[hole]
        afar = pixels.copy()
        # Both are seen blurred, or a blurred fill would be repaired with blurred places.
        afar[..., :3] = cv2.GaussianBlur(pixels[..., :3], (0, 0), GUIDE_SIGMA_PX)
        sources = np.argwhere(level.is_source).astype(np.int32)
        targets = level.is_target > 0
        level.field[targets] = sources[self.rng.integers(len(sources), size=int(np.count_nonzero(targets)))]
        distant = replace(level, image=np.ascontiguousarray(afar.reshape(height, width * CHANNELS)))
        cost = np.zeros(level.is_target.shape, np.int32)
        none = _no_penalty(level)
        shifts = rim_shifts(level) if height * width < MOST_SHIFT_AREA_PX else NO_SHIFTS
        self.measure(distant, cost, none)
        for sweep in range(GUIDE_SWEEPS):
            self.sweep(distant, cost, none, shifts, sweep % 2 == 0, max(height, width))
        # The patches' own pixels and no votes: a mean of them would be as blurred as the fill.
        places = np.nonzero(level.is_hole)
        pixels[places] = pixels[sources_of(level, *places)]
        # Few rounds: many would find a filling that fits the rim better, and forget the painter's.
        self.improve(level, index, rounds=GUIDE_ROUNDS)
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
                self.check()
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
        self,
        level: Level,
        index: int,
        radius_px: int = FINE_RADIUS_PX,
        shifts: NDArray[np.int32] = NO_SHIFTS,
        rounds: int | None = None,
    ) -> float:
        """Alternates search and votes, often where the hole is small; returns the patches' mean cost in the end."""
        rounds, sweeps = (2, 2) if index == 0 else (rounds or min(3 + 2 * index, 12), 3)
        cost = np.zeros(level.is_target.shape, np.int32)
        penalty = _no_penalty(level)
        for done in range(rounds):
            count_usage(level.is_target, level.field, penalty)
            penalty = (np.maximum(penalty - 64, 0) * REPEAT_COST).astype(np.int32) // 16
            self.measure(level, cost, penalty)
            for sweep in range(sweeps):
                self.sweep(level, cost, penalty, shifts, sweep % 2 == 0, radius_px)
            if index or done < rounds - 1:
                self.vote(level, cost)
        return self.mean_cost(level)

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
            weight = np.exp(-cost.astype(np.float32) / max(typical, 1.0))
        inside_px = cv2.distanceTransform(level.is_hole[window.slices], cv2.DIST_L2, cv2.DIST_MASK_3)
        # Only the differences within a patch matter; far inside, the power would vanish.
        weight *= RIM_TRUST ** -np.minimum(inside_px, 60)
        self.in_bands(
            window.height,
            lambda first, last: vote_rows(
                level.image, level.is_hole, level.is_target, window.top, window.left, level.field, weight, first, last
            ),
        )
