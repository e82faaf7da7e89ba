"""Turns one COCO annotation into the mask of its instance, whatever form its segmentation has."""

from __future__ import annotations

from typing import Any, List, Mapping

import numpy as np

from dataset_handlers.image import Image
from dataset_handlers.polygon_mask import polygons_mask
from dataset_handlers.run_lengths import run_lengths_mask


def annotation_mask(annotation: Mapping[str, Any], height: int, width: int) -> Image:
    """Returns the instance's mask, uint8 0 or 255 of the photo's ``(height, width)``; raises ``ValueError``."""
    try:
        segmentation = annotation.get("segmentation")
        if isinstance(segmentation, list):
            mask = polygons_mask(segmentation, height, width)
        elif isinstance(segmentation, Mapping):
            mask = run_lengths_mask(segmentation)
        else:
            raise ValueError("it has no segmentation")
        if mask.shape != (height, width):
            raise ValueError(f"its mask is {mask.shape[1]}x{mask.shape[0]}, its photo {width}x{height}")
    except (TypeError, ValueError) as error:
        raise ValueError(f"annotation {annotation.get('id')}: {error}") from None
    return mask * np.uint8(255)


def mask_box(mask: Image) -> List[int]:
    """Returns the smallest box around a mask, ``[x, y, width, height]`` in pixels; all 0 for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return [0, 0, 0, 0]
    top, left = int(rows[0]), int(columns[0])
    return [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1]
