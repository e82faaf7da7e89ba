"""Takes up another painter's coarse fill: looks for patches that look like it from afar, and paints with them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from inpainting_models.grain import ring_around
from inpainting_models.membrane import spread
from inpainting_models.painting import Mask, Photo
from inpainting_models.patchmatch_kernels import CHANNELS
from inpainting_models.patchmatch_pyramid import Level, roughness, sources_of
from inpainting_models.patchmatch_search import NO_SHIFTS, Search, no_penalty
from inpainting_models.patchmatch_shifts import rim_shifts

GUIDE_SIGMA_PX = 1.0
GUIDE_SWEEPS = 6
GUIDE_ROUNDS = 1
OWN_WIDTH_PX = 5
MOST_GUIDED_PX = 2_500
"""A coarse fill is taken up at the finest level whose hole is no larger."""
MOST_SHIFT_AREA_PX = 500_000


def guided_level(levels: list[Level], coarse_step_px: float) -> int:
    """Returns the level at which a coarse fill is taken up: about the fill's own resolution, and small enough."""
    for index, level in enumerate(levels):
        if np.count_nonzero(level.is_hole) <= MOST_GUIDED_PX and 2**index >= 0.7 * coarse_step_px:
            return index
    return len(levels) - 1


def begin_guided(search: Search, level: Level, index: int, coarse: Photo) -> Level:
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
    level.field[targets] = sources[search.rng.integers(len(sources), size=int(np.count_nonzero(targets)))]
    distant = replace(level, image=np.ascontiguousarray(afar.reshape(height, width * CHANNELS)))
    cost = np.zeros(level.is_target.shape, np.int32)
    none = no_penalty(level)
    shifts = rim_shifts(level) if height * width < MOST_SHIFT_AREA_PX else NO_SHIFTS
    search.measure(distant, cost, none)
    for sweep in range(GUIDE_SWEEPS):
        search.sweep(distant, cost, none, shifts, sweep % 2 == 0, max(height, width))
    # The patches' own pixels and no votes: a mean of them would be as blurred as the fill.
    places = np.nonzero(level.is_hole)
    pixels[places] = pixels[sources_of(level, *places)]
    # Few rounds: many would find a filling that fits the rim better, and forget the painter's.
    search.improve(level, index, rounds=GUIDE_ROUNDS)
    return level


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
