"""Blocks of a JPEG in which nothing was changed come out as they went in."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from skimage import data

from inpainting import codec
from inpainting.jpeg_quality import read_jpeg_quality
from inpainting.jpeg_splice import splice

RGB = data.coffee()[100:261, 100:311]
HOLE = (slice(70, 90), slice(100, 131))


def jpeg(pixels: np.ndarray = RGB, mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(out, "JPEG", **options)
    return out.getvalue()


def decoded(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file))).astype(int)


def part_of(**options: object) -> Callable[[slice, slice], bytes]:
    return lambda rows, columns: jpeg(RGB[rows, columns], **options)


def changed() -> np.ndarray:
    mask = np.zeros(RGB.shape[:2], bool)
    mask[HOLE] = True
    return mask


def filled(source: bytes) -> bytes:
    photo = codec.decode(source)
    mask = changed()
    photo.paste(0, 0, np.zeros((*mask.shape, 3), np.float32), mask)
    return codec.encode(photo, changed=mask)


def near(unit_px: int) -> np.ndarray:
    """The units with a changed pixel, and a pixel of colour around them, which decoders blend."""
    mask = np.zeros(RGB.shape[:2], bool)
    rows, columns = (
        slice(each.start // unit_px * unit_px - 2, -(-each.stop // unit_px) * unit_px + 2) for each in HOLE
    )
    mask[rows, columns] = True
    return mask


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"restart_marker_blocks": 3}, {"restart_marker_rows": 1}],
                         ids=["plain", "own codes", "restarts", "restarts by row"])  # fmt: skip
@pytest.mark.parametrize("quality", [35, 92, 100])
@pytest.mark.parametrize(("subsampling", "unit_px"), [("4:4:4", 8), ("4:2:2", 16), ("4:2:0", 16)])
def test_away_from_the_hole_nothing_changes_at_all(
    subsampling: str, unit_px: int, quality: int, options: dict[str, object]
) -> None:
    source = jpeg(quality=quality, subsampling=subsampling, **options)
    written = filled(source)
    away = ~near(unit_px)
    assert np.array_equal(decoded(written)[away], decoded(source)[away])
    assert decoded(written)[HOLE].mean() < 30 < decoded(source)[HOLE].mean()
    assert read_jpeg_quality(written) == read_jpeg_quality(source)


def test_a_hole_in_the_corner_of_a_photo_that_ends_within_a_unit() -> None:
    source = jpeg(quality=90, subsampling="4:2:0")
    photo = codec.decode(source)
    mask = np.zeros(RGB.shape[:2], bool)
    mask[150:, 190:] = True
    photo.paste(0, 0, np.zeros((*mask.shape, 3), np.float32), mask)
    written = codec.encode(photo, changed=mask)
    assert np.array_equal(decoded(written)[:142, :174], decoded(source)[:142, :174])
    assert decoded(written)[mask].mean() < 30
    assert np.abs(decoded(written) - decoded(codec.encode(photo)))[mask].max() == 0


def test_a_grey_photo_keeps_its_blocks_whatever_its_factors_say() -> None:
    source = bytearray(jpeg(mode="L", quality=85))
    frame = source.index(b"\xff\xc0")
    assert source[frame + 11] == 0x11
    source[frame + 11] = 0x22
    written = filled(bytes(source))
    assert np.array_equal(decoded(written)[~near(8)], decoded(bytes(source))[~near(8)])


def test_nothing_changed_gives_the_same_coefficients_again() -> None:
    source = jpeg(quality=97, subsampling="4:2:0", optimize=True)
    nothing = np.zeros(RGB.shape[:2], bool)
    photo = codec.decode(source)
    again = codec.encode(photo, changed=nothing)
    assert np.array_equal(decoded(again), decoded(source))
    assert not np.array_equal(decoded(codec.encode(photo)), decoded(source))
    # A second time there is nothing left to lose, not a byte.
    assert codec.encode(codec.decode(again), changed=nothing) == again


def test_what_cannot_be_kept_is_compressed_again() -> None:
    nothing = np.zeros(RGB.shape[:2], bool)
    assert splice(jpeg(quality=90), nothing, part_of(quality=90)) is not None
    assert splice(jpeg(quality=90, progressive=True), nothing, part_of(quality=90)) is None
    assert splice(jpeg(quality=90, subsampling="4:4:4"), nothing, part_of(quality=90)) is None
    assert splice(jpeg(quality=90), nothing[:50], part_of(quality=90)) is None
    progressive = filled(jpeg(quality=90, progressive=True))
    assert decoded(progressive)[HOLE].mean() < 30


def test_a_turned_photo_is_written_upright_as_before() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    photo = codec.decode(jpeg(quality=90, exif=turned))
    written = codec.encode(photo, changed=np.zeros((211, 161), bool))
    assert np.abs(decoded(written) - photo.pixels).mean() < 2


def test_damaged_files_are_refused_or_read_but_never_beyond_their_end() -> None:
    source = jpeg(quality=90, restart_marker_rows=1)
    begin = source.index(b"\xff\xda") + 14
    rng = np.random.default_rng(0)
    mask = changed()
    results = []
    for _ in range(200):
        damaged = bytearray(source)
        for place in rng.integers(begin, len(source), 3):
            damaged[place] = rng.integers(256)
        results.append(splice(bytes(damaged[: rng.integers(begin, len(source))]), mask, part_of(quality=90)))
    assert None in results
    assert all(result is None or decoded(result).shape == RGB.shape for result in results)
