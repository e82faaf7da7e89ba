"""TIFFs keep depth, compression, byte order and tags."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from skimage import data

from inpainting import codec
from inpainting.photo import BadPhoto

RGB = data.rocket()[:70, 200:300]
DEEP = (RGB.astype(np.uint16) << 8) + np.arange(100, dtype=np.uint16)[None, :, None]


def tiff(pixels: np.ndarray, **options: object) -> bytes:
    out = io.BytesIO()
    options = {"photometric": "rgb" if pixels.ndim == 3 else "minisblack", "metadata": None, "software": None} | options
    byteorder = options.pop("byteorder", "<")
    tifffile.imwrite(out, pixels, byteorder=byteorder, **options)
    return out.getvalue()


def page(source: bytes) -> tifffile.TiffPage:
    return tifffile.TiffFile(io.BytesIO(source)).pages[0]


@pytest.mark.parametrize("pixels", [RGB, DEEP], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "packbits"])
@pytest.mark.parametrize("predictor", [False, True])
def test_depth_compression_and_byte_order_are_the_sources(
    pixels: np.ndarray, byteorder: str, compression: str | None, predictor: bool
) -> None:
    if predictor and compression in (None, "packbits"):
        predictor = False
    source = tiff(pixels, byteorder=byteorder, compression=compression, predictor=predictor)
    photo = codec.decode(source)
    assert (photo.pixels == pixels).all()
    written = codec.encode(photo)
    assert written[:2] == source[:2]
    assert {8: 8, 32946: 8}.get(int(page(source).compression), page(source).compression) == page(written).compression
    assert page(written).asarray().dtype == pixels.dtype
    assert (page(written).asarray() == pixels).all()


@pytest.mark.parametrize(
    "options",
    [{"tile": (32, 32)}, {"planarconfig": "separate"}, {"rowsperstrip": 7}, {"bigtiff": True}],
    ids=["tiles", "planes", "strips", "BigTIFF"],
)
def test_layouts_are_read(options: dict[str, object]) -> None:
    pixels = np.moveaxis(DEEP, -1, 0) if "planarconfig" in options else DEEP
    photo = codec.decode(tiff(pixels, **options))
    assert (photo.pixels == DEEP).all()
    assert (page(codec.encode(photo)).asarray() == DEEP).all()


def test_what_is_lossy_inside_a_tiff_is_written_without_loss() -> None:
    source = tiff(RGB, compression="jpeg")
    photo = codec.decode(source)
    assert np.abs(photo.pixels.astype(int) - RGB).mean() < 12
    assert (page(codec.encode(photo)).asarray() == photo.pixels).all()


@pytest.mark.parametrize(("kind", "number"), [("unassalpha", 2), ("assocalpha", 1)])
def test_transparency_keeps_its_kind(kind: str, number: int) -> None:
    values = np.concatenate([DEEP, DEEP[:, :, :1]], axis=2)
    photo = codec.decode(tiff(values, extrasamples=[kind]))
    assert photo.pixels.shape[2] == 3
    assert (photo.alpha == DEEP[:, :, 0]).all()
    again = page(codec.encode(photo))
    assert [int(extra) for extra in again.extrasamples] == [number]
    assert (again.asarray() == values).all()


def test_grey_from_white_to_black_is_turned_round() -> None:
    grey = RGB[:, :, 0]
    photo = codec.decode(tiff(grey, photometric="miniswhite"))
    assert (photo.pixels[:, :, 0] == 255 - grey).all()
    assert (page(codec.encode(photo)).asarray() == 255 - grey).all()


def test_tags_that_still_hold_are_kept_and_the_others_are_not() -> None:
    tags = [
        (33723, "B", 6, b"\x1c\x02\x50\x00\x01A", True),
        (34377, "B", 4, b"8BIM", True),
        (37724, "B", 6, b"layers", True),
        (33550, "d", 3, (0.5, 0.5, 0.0), True),
        (65000, "s", 0, "somebody's own", True),
    ]
    source = tiff(RGB, extratags=tags, description="a rocket", datetime="2020:02:02 20:20:20", resolution=(300, 300))
    kept = page(codec.encode(codec.decode(source))).tags
    assert kept[270].value == "a rocket"
    assert kept[306].value == "2020:02:02 20:20:20"
    assert kept[282].value[0] / kept[282].value[1] == 300
    assert kept[33550].value == (0.5, 0.5, 0.0)
    assert kept[65000].value == "somebody's own"
    assert 33723 in kept
    assert 34377 not in kept
    assert 37724 not in kept


def test_smaller_copies_of_the_photo_are_dropped_and_several_photos_refused() -> None:
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as writer:
        writer.write(RGB, photometric="rgb", metadata=None)
        writer.write(RGB[::4, ::4], photometric="rgb", subfiletype=1, metadata=None)
    written = codec.encode(codec.decode(out.getvalue()))
    assert len(tifffile.TiffFile(io.BytesIO(written)).pages) == 1
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as writer:
        writer.write(RGB, photometric="rgb", metadata=None)
        writer.write(RGB, photometric="rgb", metadata=None)
    with pytest.raises(BadPhoto, match="several pictures"):
        codec.decode(out.getvalue())


@pytest.mark.parametrize(
    ("pixels", "options", "message"),
    [
        (RGB.astype(np.float32), {}, "32 bits"),
        (np.concatenate([RGB, RGB[:, :, :1]], axis=2), {"photometric": "separated"}, "CMYK"),
        (np.concatenate([RGB, RGB], axis=2), {"extrasamples": [0, 0, 0]}, "6 channels"),
        (RGB.astype(np.int16), {}, "format 2"),
    ],
)
def test_what_could_not_be_written_back_is_refused(
    pixels: np.ndarray, options: dict[str, object], message: str
) -> None:
    with pytest.raises(BadPhoto, match=message):
        codec.decode(tiff(pixels, **options))


@pytest.mark.parametrize(("tag", "value"), [(273, 0), (279, 0), (273, 1 << 30)])
def test_a_strip_that_is_not_in_the_file_is_no_black_strip(tag: int, value: int) -> None:
    source = bytearray(tiff(RGB))
    entry = page(bytes(source)).tags[tag]
    source[entry.valueoffset : entry.valueoffset + 4] = value.to_bytes(4, "little")
    with pytest.raises(BadPhoto, match="this TIFF is damaged or cut off: a part of the picture"):
        codec.decode(bytes(source))
