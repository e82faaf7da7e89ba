"""Shows a photo while it is being filled: small, and filled as far as the painter has come."""

from __future__ import annotations

import cv2
import numpy as np

from inpainting.photo import Photo as DecodedPhoto
from inpainting_models.crops import Box
from inpainting_models.painting import Mask, Photo

LONGEST_SIDE_PX = 1024
QUALITY = 80


class PreviewCanvas:
    """A small copy of one photo, on which painted parts appear."""

    def __init__(self, photo: DecodedPhoto, mask: Mask) -> None:
        self._scale = min(1.0, LONGEST_SIDE_PX / max(photo.height, photo.width))
        size = max(1, round(photo.width * self._scale)), max(1, round(photo.height * self._scale))
        small = cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA)
        small = small.reshape(*small.shape[:2], -1)
        if small.dtype == np.uint16:
            small = (small >> 8).astype(np.uint8)
        self._pixels = np.array(np.broadcast_to(small, (*small.shape[:2], 3)))
        self._mask = cv2.resize(mask.view(np.uint8), size, interpolation=cv2.INTER_AREA) > 0

    def show(self, box: Box, painted: Photo) -> bytes:
        """Return a JPEG with the painted part, of any size, in the holes of the box."""
        # Strategies turn portrait photos for models that know landscape ones.
        if (painted.shape[0] - painted.shape[1]) * (box.height - box.width) < 0:
            painted = painted.transpose(1, 0, 2)
        top, left, bottom, right = (round(side * self._scale) for side in (box.top, box.left, box.bottom, box.right))
        part, hole = self._pixels[top:bottom, left:right], self._mask[top:bottom, left:right]
        if part.size:
            small = cv2.resize(
                np.ascontiguousarray(painted), (part.shape[1], part.shape[0]), interpolation=cv2.INTER_AREA
            )
            part[hole] = np.rint(np.clip(small[hole], 0, 1) * 255).astype(np.uint8)
        _, encoded = cv2.imencode(".jpg", self._pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        return bytes(encoded)
