"""Keeps a JPEG's own blocks wherever nothing was changed, so that they do not lose by being compressed again."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from inpainting.jpeg_scan import Scan, read_scan
from inpainting_models.crops import Box, bounding_box

_END = b"\xff\xd9"


def splice(original: bytes, changed: npt.NDArray[np.bool_], encode: Callable[[slice, slice], bytes]) -> bytes | None:
    """Return a JPEG with the coefficients of `original` in each unit (MCU) that has no `changed` pixel.

    `encode(rows, columns)` is asked once for a JPEG of the part of the picture around all that is changed, with the
    same quantisation, of which the other units come; its tables and header become the result's. None is returned where
    this cannot be done: for progressive files, other subsampling, damaged ones.
    """
    # Heavy, and not needed for other formats.
    from inpainting.jpeg_splice_numba import splice_units

    theirs = _scan(original)
    if theirs is None or changed.shape != (theirs.height, theirs.width):
        return None
    is_changed, box = _units_with(changed, theirs)
    height, width = theirs.unit_px
    part = encode(
        slice(box.top * height, min(box.bottom * height, theirs.height)),
        slice(box.left * width, min(box.right * width, theirs.width)),
    )
    ours = _scan(part)
    if ours is None or ours.restart_units or _layout(ours) != _layout(theirs):
        return None
    first, second = (np.frombuffer(data, np.uint8)[scan.offset :] for data, scan in ((original, theirs), (part, ours)))
    out = np.empty(2 * (first.size + second.size) + (1 << 16), np.uint8)
    blocks = np.array([across * down for across, down in _layout(ours)])
    size = splice_units(
        first, theirs.symbols, _tables(theirs), theirs.restart_units, theirs.units[1],
        second, ours.symbols, _tables(ours), np.array([box.top, box.left, box.bottom, box.right]), blocks,
        ours.lengths, ours.codes, is_changed.reshape(-1), out,
    )  # fmt: skip
    if size < 0:
        return None
    header = bytearray(part[: ours.offset])
    struct.pack_into(">HH", header, ours.size_offset, theirs.height, theirs.width)
    return b"".join((header, out[:size].data, _END))


def warm_up() -> None:
    """Compile what is not compiled yet, by putting two tiny pictures together."""
    written = io.BytesIO()
    Image.new("RGB", (16, 16)).save(written, "JPEG")
    splice(written.getvalue(), np.zeros((16, 16), np.bool_), lambda rows, columns: written.getvalue())


def _scan(data: bytes) -> Scan | None:
    try:
        return read_scan(data)
    except (struct.error, ValueError):
        return None


def _layout(scan: Scan) -> list[tuple[int, int]]:
    return [(each.across, each.down) for each in scan.components]


def _tables(scan: Scan) -> npt.NDArray[np.int64]:
    return np.array([(each.dc, each.ac) for each in scan.components])


def _units_with(changed: npt.NDArray[np.bool_], scan: Scan) -> tuple[npt.NDArray[np.bool_], Box]:
    """Return a flag for each unit, `(rows, columns)`, and the box around all flags: the first unit if there is none."""
    height, width = scan.unit_px
    flags = np.zeros(scan.units, np.bool_)
    hole = bounding_box(changed)
    if hole is None:
        return flags, Box(0, 0, 1, 1)
    box = Box(hole.top // height, hole.left // width, -(-hole.bottom // height), -(-hole.right // width))
    part = changed[box.top * height : box.bottom * height, box.left * width : box.right * width]
    part = np.pad(part, ((0, box.height * height - part.shape[0]), (0, box.width * width - part.shape[1])))
    flags[box.slices] = part.reshape(box.height, height, box.width, width).any(axis=(1, 3))
    return flags, box
