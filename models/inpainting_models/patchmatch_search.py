"""One level of PatchMatch at a time: taken over from a coarser size, searched in sweeps, and voted on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inpainting_models.painting import Cancel, stop_if
from inpainting_models.patchmatch_kernels import (
    count_usage,
    finer_rows,
    measure_rows,
    search_rows,
    vote_rows,
)
from inpainting_models.patchmatch_pyramid import Level

FINE_RADIUS_PX = 32
"""How far the random search reaches where a coarser level has already found a source."""
BAND_ROWS = 16
"""Rows that one kernel call works on: short enough to stop between two, fixed so that threads do not change pixels."""
RIM_TRUST = 1.3
"""How much more a patch's vote counts for each pixel that it is nearer to the rim (Wexler et al. 2007)."""
REPEAT_COST = 25
"""What each pixel costs that an 8x8 cell gives beyond its 64; a patch that differs by 4 levels costs 3,136."""
NO_SHIFTS = np.zeros((0, 2), np.int32)


def no_penalty(level: Level) -> NDArray[np.int32]:
    """Returns that copying costs nothing anywhere, for each 8x8 cell of the level."""
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

    def mean_cost(self, level: Level) -> float:
        """Returns how much the patches differ from their sources, in the mean."""
        cost = np.zeros(level.is_target.shape, np.int32)
        self.measure(level, cost, no_penalty(level))
        return float(cost[level.is_target > 0].mean())

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
        penalty = no_penalty(level)
        for done in range(rounds):
            count_usage(level.is_target, level.field, penalty)
            penalty = np.maximum(penalty - 64, 0) * REPEAT_COST
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
