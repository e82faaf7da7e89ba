"""Lets a copied part take the brightness and colour that its surroundings have, so that its rim does not show."""

from __future__ import annotations

import cv2
import numpy as np

from inpainting_models.crops import Box
from inpainting_models.interruptible import interruptible
from inpainting_models.membrane import spread
from inpainting_models.painting import Cancel, Mask, Photo, stop_if
from inpainting_models.patchmatch_kernels import REACH
from inpainting_models.patchmatch_pyramid import Level, sources_of

MOST = 0.06
"""A larger difference along a stretch of rim is ever less evened out: it is another thing and no other light."""
OTHER = 0.25
"""A pixel that differs so much says nothing about the light."""
SMOOTH_PX = 6.0
FADE_SIGMA_PX = 1.0
FADE_PX = 2.0


def match_rim_tone(photo: Photo, painted: Photo, mask: Mask, level: Level, *, cancel: Cancel | None = None) -> Photo:
    """Returns `painted` with a smooth correction in the hole, by which its patches would continue the known rim.

    The patches reach three pixels over the rim; there the photo tells what they should have shown.
    """
    return interruptible(lambda: _match_rim_tone(photo, painted, mask, level, cancel), cancel)


def _match_rim_tone(photo: Photo, painted: Photo, mask: Mask, level: Level, cancel: Cancel | None) -> Photo:
    box = level.window.grown(REACH, mask.shape)
    hole = mask[box.slices]
    rim = _rim_of(level, box) & ~hole
    if not rim.any():
        return painted
    rows, columns = np.nonzero(rim)
    source_rows, source_columns = sources_of(level, rows + box.top, columns + box.left)
    difference = np.zeros((*hole.shape, 3), np.float32)
    difference[rim] = photo[rows + box.top, columns + box.left] - photo[source_rows, source_columns]
    weight = (rim & (np.abs(difference).max(axis=2) < OTHER)).astype(np.float32)
    stop_if(cancel)
    # The rim's own texture must not be spread: only what a stretch of rim has in common.
    common = cv2.GaussianBlur(difference * weight[..., None], (0, 0), SMOOTH_PX)
    amount = cv2.GaussianBlur(weight, (0, 0), SMOOTH_PX)
    plenty = cv2.GaussianBlur(rim.astype(np.float32), (0, 0), SMOOTH_PX)
    # Where most of the rim differs for other reasons, the few that agree do not speak for it.
    common *= (np.minimum(1, 2 * amount / np.maximum(plenty, 1e-6)) / np.maximum(amount, 1e-6))[..., None]
    common *= np.clip(2 - np.abs(common).max(axis=2) / MOST, 0, 1)[..., None]
    correction = spread(common, rim, cancel=cancel)
    stop_if(cancel)
    correction += _fading(difference - common, hole, rim)
    result = painted.copy()
    part = result[box.slices]
    part[hole] = np.clip(part[hole] + correction[hole], 0, 1)
    return result


def _fading(remaining: Photo, hole: Mask, rim: Mask) -> Photo:
    """Returns what still differs pixel by pixel at the very rim, fading out a few pixels into the hole.

    So a stalk or a joint that the patches miss by a pixel bends instead of breaking.
    """
    touching = (cv2.dilate(hole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & rim
    weight = touching.astype(np.float32)
    near = cv2.GaussianBlur(np.clip(remaining, -OTHER, OTHER) * weight[..., None], (0, 0), FADE_SIGMA_PX)
    near /= np.maximum(cv2.GaussianBlur(weight, (0, 0), FADE_SIGMA_PX), 1e-6)[..., None]
    deep_px = cv2.distanceTransform((~touching).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3)
    result: Photo = near * np.where(deep_px < 6 * FADE_PX, np.exp((1 - deep_px) / FADE_PX), 0)[..., None]
    return result


def _rim_of(level: Level, box: Box) -> Mask:
    """Returns, in `box`, the pixels that are centres of patches: those of the hole and three around it."""
    rim = np.zeros((box.height, box.width), np.bool_)
    top, left = level.window.top - box.top, level.window.left - box.left
    # The level may be padded beyond the photo.
    centres = level.is_target[: box.height - top, : box.width - left] > 0
    rim[top : top + centres.shape[0], left : left + centres.shape[1]] = centres
    return rim
