"""Brings photos and masks to another size without letting a hole's content leak into what counts as known."""

from __future__ import annotations

import cv2
import numpy as np

from inpainting_models.painting import Mask, Photo

Size = tuple[int, int]
"""`(height, width)`."""


def scaled(photo: Photo, size: Size) -> Photo:
    """Returns the photo at `size`: averaged where a side gets smaller, bicubic where it grows."""
    # A side at a time: OpenCV averages only where both sides get smaller.
    for axis in (0, 1):
        if photo.shape[axis] != size[axis]:
            smaller = size[axis] < photo.shape[axis]
            now = (size[0], photo.shape[1]) if axis == 0 else (photo.shape[0], size[1])
            photo = cv2.resize(photo, (now[1], now[0]), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    return photo


def scaled_mask(mask: Mask, size: Size) -> Mask:
    """Returns the mask at `size`; a pixel is a hole as soon as `scaled` mixed any hole's pixel into it."""
    if mask.shape == size:
        return mask.copy()
    grown = mask.astype(np.uint8)
    # Bicubic growth reaches two pixels: one is grown here, the other one is linear interpolation's own.
    reach = (1 if size[0] <= mask.shape[0] else 3, 1 if size[1] <= mask.shape[1] else 3)
    grown = cv2.dilate(grown, np.ones(reach, np.uint8)).astype(np.float32)
    for axis in (0, 1):
        if grown.shape[axis] == size[axis]:
            continue
        now = (size[0], grown.shape[1]) if axis == 0 else (grown.shape[0], size[1])
        smaller = size[axis] < grown.shape[axis]
        grown = cv2.resize(grown, (now[1], now[0]), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    result: Mask = grown > 1e-6
    return result
