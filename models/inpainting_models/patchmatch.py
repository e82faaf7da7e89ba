"""Multi-scale PatchMatch: fills a hole with the photo's own patches, coarse to fine, and in the end copies pixels.

Barnes et al. 2009 find each patch a similar one by propagation and random search; Wexler et al. 2007 let overlapping
patches vote for the pixels; as in Newson et al. 2014, the coarsest hole is filled layer by layer, roughness counts
beside colour, and the last step copies, because a mean of patches is a blur.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from inpainting_models.crops import crops_around, paint_crops
from inpainting_models.interruptible import interruptible
from inpainting_models.painting import Cancel, Mask, Photo, Progress, stop_if
from inpainting_models.patchmatch_beginnings import best_beginning
from inpainting_models.patchmatch_guide import begin_guided, guided_level
from inpainting_models.patchmatch_kernels import REACH
from inpainting_models.patchmatch_pyramid import Level, pyramid, sources_of
from inpainting_models.patchmatch_search import Search
from inpainting_models.smooth import fill_smooth_with_grain


def fill_patchmatch(
    photo: Photo,
    mask: Mask,
    rng: np.random.Generator,
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Photo:
    """Fills each hole with pixels copied from around it; the same generator gives the same pixels.

    Where there is nothing to copy (less than a patch is known), it is filled smoothly with grain.
    """
    boxes = crops_around(mask, context=2.0, least_px=192)
    done = 0

    def fill_crop(crop: Photo, hole: Mask) -> Photo:
        nonlocal done
        stage = "patchmatch" if len(boxes) == 1 else f"patchmatch, crop {done + 1} of {len(boxes)}"
        done += 1
        repair = synthesise(crop, hole, rng, stage=stage, progress=progress, cancel=cancel)
        if repair is None:
            return fill_smooth_with_grain(crop, hole, rng, cancel=cancel)
        return copied(crop, hole, repair)

    result: Photo = paint_crops(fill_crop, photo, mask, boxes, cancel=cancel)
    return result


def synthesise(
    photo: Photo,
    mask: Mask,
    rng: np.random.Generator,
    *,
    allowed: Mask | None = None,
    coarse: Photo | None = None,
    coarse_step_px: float = 1,
    stage: str = "patchmatch",
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Level | None:
    """Returns the native level with a source for each of its patches, or None where nothing can be copied.

    `allowed` marks what may be copied from; by default all that is known. `coarse` is the photo with a fill that may
    be blurred: it says what belongs into the hole. `coarse_step_px` is how many of its pixels were painted as one.
    """
    if min(mask.shape) <= 2 * REACH:
        return None
    levels = interruptible(lambda: pyramid(photo, mask, allowed, lambda: stop_if(cancel)), cancel)
    if not levels:
        return None
    count = len(levels)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        search = Search(rng, pool, cancel)
        if progress:
            progress(stage, 0, count)
        if coarse is None:
            begun = best_beginning(search, levels)
        else:
            begun = guided_level(levels, coarse_step_px)
            levels[begun] = begin_guided(search, levels[begun], begun, coarse)
        for index in reversed(range(begun)):
            if progress:
                progress(stage, count - 1 - index, count)
            search.refine_from(levels[index], levels[index + 1])
            search.improve(levels[index], index)
    if progress:
        progress(stage, count, count)
    return levels[0]


def warm_up() -> None:
    """Compiles what is not compiled yet, by painting a tiny photo: about 5 s once on a machine, then 0.5 s a start."""
    photo = np.random.default_rng(0).random((96, 96, 3), np.float32)
    mask = np.zeros((96, 96), np.bool_)
    mask[36:60, 36:60] = True
    fill_patchmatch(photo, mask, np.random.default_rng(0))


def copied(photo: Photo, mask: Mask, level: Level) -> Photo:
    """Returns the photo with each pixel of the hole copied from its own patch's source: nothing is averaged."""
    result = photo.copy()
    rows, columns = np.nonzero(mask)
    source_rows, source_columns = sources_of(level, rows, columns)
    result[rows, columns] = photo[source_rows, source_columns]
    return result
