"""Fills polygons to masks exactly as COCO's own tools do, pixel for pixel.

The rule is that of ``rleFrPoly`` of COCO's mask API (Lin et al. 2014; github.com/cocodataset/cocoapi): the outline is
drawn on a grid five times as fine, each place where it crosses the middle of a column toggles what lies below it, and
the masks of an annotation's polygons are joined.
"""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from dataset_handlers.image import Image
from dataset_handlers.run_lengths import decode_runs

_FINENESS = 5.0
MAX_OUTLINE_POINTS = 50_000_000
"""An outline longer than this, on the fine grid, belongs to no photo."""


def polygons_mask(polygons: Sequence[Sequence[float]], height: int, width: int) -> Image:
    """Returns the union of ``polygons``, each ``[x0, y0, x1, y1, ...]`` in pixels: uint8 0 or 1.

    Raises ``ValueError`` for what is no polygon.
    """
    # Only the first is looked at, as by COCO's own tools.
    if not len(polygons) or len(polygons[0]) <= 4:
        raise ValueError("it has no polygon of at least 3 points")
    mask = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        numbers = np.asarray(polygon, dtype=np.float64)
        if numbers.ndim != 1 or not np.isfinite(numbers).all():
            raise ValueError("a polygon is no list of finite numbers")
        mask |= polygon_mask(numbers, height, width)
    return mask


def polygon_mask(polygon: Any, height: int, width: int) -> Image:
    """Returns one polygon, an array ``[x0, y0, x1, y1, ...]``, as uint8 0 or 1 of ``(height, width)``."""
    corners = polygon[: polygon.size // 2 * 2].reshape(-1, 2)
    # Like C's conversion, towards zero.
    fine = np.trunc(_FINENESS * corners + 0.5).astype(np.int64)
    columns, rows = _outline(fine[:, 0], fine[:, 1])
    toggles = np.sort(_toggles(columns, rows, height, width))
    runs = np.diff(toggles, prepend=0, append=height * width)
    return decode_runs(runs, height, width)


def _outline(x: Any, y: Any) -> Any:
    """Returns the columns and rows of every point of the closed outline, edge after edge, on the fine grid."""
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    run, rise = np.abs(next_x - x), np.abs(next_y - y)
    flat = run >= rise
    # Each edge is drawn in the direction in which its longer side grows.
    backwards = np.where(flat, x > next_x, y > next_y)
    start_x, end_x = np.where(backwards, next_x, x), np.where(backwards, x, next_x)
    start_y, end_y = np.where(backwards, next_y, y), np.where(backwards, y, next_y)
    length = np.maximum(run, rise)
    across = np.where(flat, end_y - start_y, end_x - start_x).astype(np.float64)
    slope = np.divide(across, length, out=np.zeros(len(x)), where=length > 0)

    counts = length + 1
    total = int(counts.sum())
    if total > MAX_OUTLINE_POINTS:
        raise ValueError(f"an outline of {total / _FINENESS:.0f} pixels is too long")
    edge = np.repeat(np.arange(len(x)), counts)
    step = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    step = np.where(backwards[edge], length[edge] - step, step)
    base = np.where(flat, start_y, start_x)[edge]
    shifted = np.trunc(base + slope[edge] * step + 0.5).astype(np.int64)
    along = step + np.where(flat, start_x, start_y)[edge]
    steep = ~flat[edge]
    return np.where(steep, shifted, along), np.where(steep, along, shifted)


def _toggles(columns: Any, rows: Any, height: int, width: int) -> Any:
    """Returns the pixels, counted down the columns, at which inside and outside change places."""
    moved = columns[1:] != columns[:-1]
    before, after = columns[:-1][moved], columns[1:][moved]
    fine_x = np.where(after < before, after, after - 1).astype(np.float64)
    x = (fine_x + 0.5) / _FINENESS - 0.5
    inside = (np.floor(x) == x) & (x >= 0) & (x <= width - 1)
    fine_y = np.minimum(rows[:-1], rows[1:])[moved][inside].astype(np.float64)
    y = np.ceil(np.clip((fine_y + 0.5) / _FINENESS - 0.5, 0, height))
    return x[inside].astype(np.int64) * height + y.astype(np.int64)
