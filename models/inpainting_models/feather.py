"""Pastes a painted part so that it fades into the photo around it, within a margin that one can name."""

from __future__ import annotations

import cv2
import numpy as np

from inpainting_models.painting import Mask, Photo


def grown(mask: Mask, by_px: int) -> Mask:
    """Returns the mask with all that is within `by_px` pixels of it."""
    if by_px <= 0 or not mask.any():
        return mask.copy()
    away_px = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    result: Mask = away_px <= by_px
    return result


def feathered(photo: Photo, painted: Photo, mask: Mask, feather_px: int) -> Photo:
    """Returns the photo with `painted` in the hole, fading out over `feather_px` pixels around it; bit-exact beyond.

    `painted` must be filled in the grown mask. A feather of zero pastes hard.
    """
    result = photo.copy()
    result[mask] = np.clip(painted[mask], 0, 1)
    if feather_px <= 0:
        return result
    away_px = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    margin = (away_px > 0) & (away_px <= feather_px)
    share = (1 - away_px[margin] / (feather_px + 1)).astype(np.float32)[:, None]
    result[margin] = np.clip(share * painted[margin] + (1 - share) * photo[margin], 0, 1)
    return result
