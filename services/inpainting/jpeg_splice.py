"""Keeps a JPEG's own blocks wherever nothing was changed, so that they do not lose by being compressed again."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from inpainting.jpeg_scan import Scan, read_scan

_END = b"\xff\xd9"


def splice(original: bytes, encoded: bytes, changed: npt.NDArray[np.bool_]) -> bytes | None:
    """Return `encoded` with the coefficients of `original` in each unit (MCU) that has no `changed` pixel.

    Both are of one size and have the same quantisation. None is returned where that cannot be done: for progressive
    files, other subsampling, damaged ones. Every kept block has the very numbers that it had.
    """
    # Heavy, and not needed for other formats.
    from inpainting.jpeg_splice_numba import splice_units

    try:
        ours, theirs = read_scan(encoded), read_scan(original)
    except (struct.error, ValueError):
        return None
    if ours is None or theirs is None or not _alike(ours, theirs) or changed.shape != (ours.height, ours.width):
        return None
    first, second = (
        np.frombuffer(data, np.uint8)[scan.offset :] for data, scan in ((original, theirs), (encoded, ours))
    )
    out = np.empty(2 * (first.size + second.size) + (1 << 16), np.uint8)
    layout = np.array([each.across * each.down for each in ours.components])
    size = splice_units(
        first, theirs.symbols, _tables(theirs), theirs.restart_units,
        second, ours.symbols, ours.lengths, ours.codes, layout, _tables(ours), _units_with(changed, ours), out,
    )  # fmt: skip
    return None if size < 0 else b"".join((encoded[: ours.offset], out[:size].data, _END))


def warm_up() -> None:
    """Compile what is not compiled yet, by putting two tiny pictures together."""
    import io

    from PIL import Image

    written = io.BytesIO()
    Image.new("RGB", (16, 16)).save(written, "JPEG")
    splice(written.getvalue(), written.getvalue(), np.zeros((16, 16), np.bool_))


def _alike(one: Scan, two: Scan) -> bool:
    layouts = [[(each.across, each.down) for each in scan.components] for scan in (one, two)]
    return (one.height, one.width) == (two.height, two.width) and layouts[0] == layouts[1] and not one.restart_units


def _tables(scan: Scan) -> npt.NDArray[np.int64]:
    return np.array([(each.dc, each.ac) for each in scan.components])


def _units_with(changed: npt.NDArray[np.bool_], scan: Scan) -> npt.NDArray[np.bool_]:
    """Return a flag for each unit, row by row."""
    (rows, columns), (height, width) = scan.units, scan.unit_px
    whole = np.pad(changed, ((0, rows * height - scan.height), (0, columns * width - scan.width)))
    return whole.reshape(rows, height, columns, width).any(axis=(1, 3)).reshape(-1)
