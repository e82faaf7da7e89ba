"""Reads masks that COCO keeps as run lengths: a list of numbers, or those numbers packed into text.

Runs go down the columns and begin with zeros. The text is that of ``rleToString`` of COCO's mask API: five bits to a
character, the lowest first, and from the fourth run on the difference to the run before the last one.
"""

from __future__ import annotations

from typing import Any, List, Mapping

import numpy as np

from dataset_handlers.image import Image

_FIRST_CHARACTER = 48
_BITS, _MORE, _NEGATIVE = 0x1F, 0x20, 0x10


def run_lengths_mask(segmentation: Mapping[str, Any]) -> Image:
    """Returns ``{"size": [height, width], "counts": [...] or text}`` as uint8 0 or 1; raises ``ValueError``."""
    try:
        height, width = (int(side) for side in segmentation["size"])
        counts = segmentation["counts"]
    except (KeyError, TypeError, ValueError):
        raise ValueError("run lengths have a size [height, width] and counts") from None
    if min(height, width) < 1:
        raise ValueError(f"run lengths are for a mask of {height}x{width}")
    return decode_runs(unpacked(counts) if isinstance(counts, (str, bytes)) else counts, height, width)


def decode_runs(runs: Any, height: int, width: int) -> Image:
    """Returns runs of zeros and ones in turn as uint8 0 or 1 of ``(height, width)``."""
    lengths = np.asarray(runs, dtype=np.float64)
    if lengths.ndim != 1 or not (np.floor(lengths) == lengths).all() or (lengths < 0).any():
        raise ValueError("run lengths are whole numbers of at least 0")
    if lengths.sum() != height * width:
        raise ValueError(
            f"run lengths add up to {lengths.sum():.0f}, the mask of {height}x{width} has {height * width}"
        )
    values = (np.arange(lengths.size) & 1).astype(np.uint8)
    filled = np.repeat(values, lengths.astype(np.int64))
    return np.ascontiguousarray(filled.reshape(width, height).T)


def unpacked(text: "str | bytes") -> List[int]:
    """Returns the run lengths that ``text`` packs; raises ``ValueError`` for text that packs none."""
    characters = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
    runs: List[int] = []
    value = shift = 0
    for character in characters:
        bits = character - _FIRST_CHARACTER
        if not 0 <= bits < 64:
            raise ValueError(f"{chr(character)!r} is no character of packed run lengths")
        value |= (bits & _BITS) << shift
        shift += 5
        if bits & _MORE:
            continue
        if bits & _NEGATIVE:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("packed run lengths are cut off")
    return runs
