"""JPEGs are compressed again as they were, with all that their files said."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image
from skimage import data

from inpainting import codec
from inpainting.codec_ifd import read_directory, read_header
from inpainting.jpeg_quality import read_jpeg_quality, segments
from inpainting.photo import BadPhoto

RGB = data.coffee()[100:260, 100:310]


def jpeg(pixels: np.ndarray = RGB, mode: str | None = None, **options: object) -> bytes:
    out = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(out, "JPEG", **options)
    return out.getvalue()


def with_segment(source: bytes, marker: int, body: bytes) -> bytes:
    return source[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body + source[2:]


@pytest.mark.parametrize("quality", [30, 75, 92, 100])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
def test_quality_subsampling_and_scans_are_the_sources(quality: int, subsampling: str, progressive: bool) -> None:
    source = jpeg(quality=quality, subsampling=subsampling, progressive=progressive)
    written = codec.encode(codec.decode(source))
    assert read_jpeg_quality(written) == read_jpeg_quality(source)
    assert len(written) == pytest.approx(len(source), rel=0.05)


def test_tables_of_a_cameras_own_are_kept_for_each_component() -> None:
    tables = [[1 + place // 4 for place in range(64)], [2 + place // 3 for place in range(64)]]
    source = jpeg(qtables=tables, subsampling="4:2:2")
    written = read_jpeg_quality(codec.encode(codec.decode(source)))
    assert [list(table) for table in written.tables] == [tables[0], tables[1], tables[1]]


def test_three_different_tables_stay_three() -> None:
    tables = [[number + place // 4 for place in range(64)] for number in (1, 3, 5)]
    source = jpeg(qtables=tables)
    assert read_jpeg_quality(codec.encode(codec.decode(source))).tables == read_jpeg_quality(source).tables


def test_grey_stays_grey_and_rgb_stays_rgb() -> None:
    grey = codec.decode(jpeg(mode="L", quality=80))
    assert grey.pixels.shape == (160, 210, 1)
    assert len(read_jpeg_quality(codec.encode(grey)).tables) == 1
    kept = codec.decode(jpeg(quality=90, keep_rgb=True, subsampling="4:4:4"))
    assert read_jpeg_quality(codec.encode(kept)).rgb
    assert np.abs(kept.pixels.astype(int) - RGB).mean() < 4
    again = codec.decode(codec.encode(kept))
    assert np.abs(again.pixels.astype(int) - kept.pixels).mean() < 0.2


def test_away_from_the_hole_hardly_anything_changes() -> None:
    photo = codec.decode(jpeg(quality=92, subsampling="4:4:4"))
    before = photo.pixels.copy()
    photo.paste(64, 64, np.zeros((32, 32, 3), np.float32), np.ones((32, 32), bool))
    after = codec.decode(codec.encode(photo)).pixels.astype(int)
    away = np.ones(before.shape[:2], bool)
    away[48:112, 48:112] = False
    assert np.abs(after - before)[away].mean() < 0.1


def test_every_segment_is_written_again_in_its_place() -> None:
    source = jpeg(quality=85, comment=b"a comment", dpi=(300, 300))
    source = with_segment(source, 0xED, b"Photoshop 3.0\0" + resource(1028, b"IPTC data"))
    source = with_segment(source, 0xE5, b"unknown maker's data")
    photo = codec.decode(source)
    own = [(marker, part) for marker, part in segments(source).parts if 0xE0 <= marker <= 0xEF or marker == 0xFE]
    written = [
        (marker, part) for marker, part in segments(codec.encode(photo)).parts if marker >= 0xE0 or marker == 0xFE
    ]
    assert written == own


def test_no_preview_shows_any_more_what_was_removed() -> None:
    preview = jpeg(RGB[:40, :50])
    source = jpeg(exif=with_preview(preview))
    source = with_segment(source, 0xED, b"Photoshop 3.0\0" + resource(1036, preview) + resource(1028, b"kept"))
    source = with_segment(source, 0xE2, b"FPXR\0" + preview)
    source = with_segment(source, 0xE2, b"MPF\0" + bytes(40)) + preview
    assert source.count(preview[:300]) == 4
    written = codec.encode(codec.decode(source))
    assert preview[:300] not in written
    assert preview[-200:] not in written
    assert b"kept" in written
    assert b"Maker" in written


def test_makers_notes_stay_where_their_offsets_point() -> None:
    notes = b"NIKON\0" + bytes(range(256)) * 4
    block = Image.Exif()
    block[0x0112] = 8
    block.get_ifd(0x8769)[0x927C] = notes
    source = jpeg(exif=block)
    written = codec.encode(codec.decode(source))
    old, new = (
        next(part for marker, part in segments(file).parts if part.startswith(b"Exif")) for file in (source, written)
    )
    assert old.index(notes) == new.index(notes)


def test_the_size_in_the_exif_is_the_upright_one() -> None:
    block = Image.Exif()
    block[0x0112] = 6
    block.get_ifd(0x8769)[0xA002] = 210
    block.get_ifd(0x8769)[0xA003] = 160
    with Image.open(io.BytesIO(codec.encode(codec.decode(jpeg(exif=block))))) as again:
        below = again.getexif().get_ifd(0x8769)
        assert (below[0xA002], below[0xA003]) == again.size == (160, 210)


def test_large_profiles_are_put_together_and_written_in_parts() -> None:
    profile = np.random.default_rng(1).bytes(150_000)
    photo = codec.decode(jpeg(icc_profile=profile))
    assert photo.metadata.icc == profile
    assert codec.decode(codec.encode(photo)).metadata.icc == profile
    assert codec.decode(codec.encode(codec.decode(codec.encode(photo, "png")), "jpeg")).metadata.icc == profile


def test_cmyk_is_refused_and_says_why() -> None:
    with pytest.raises(BadPhoto, match=r"CMYK.*convert it to RGB"):
        codec.decode(jpeg(mode="CMYK"))


def test_a_scan_bomb_is_refused() -> None:
    source = jpeg(progressive=True)
    with pytest.raises(BadPhoto, match="scans"):
        codec.decode(source[:-2] + b"\xff\xda" * 300 + source[-2:])


def resource(number: int, body: bytes) -> bytes:
    return b"8BIM" + struct.pack(">H", number) + b"\0\0" + struct.pack(">I", len(body)) + body + bytes(len(body) % 2)


def with_preview(preview: bytes) -> bytes:
    """An EXIF block with a second directory, whose tags 513 and 514 tell where the preview lies."""
    first = struct.pack("<H", 1) + struct.pack("<HHII", 0x010F, 2, 6, 64) + struct.pack("<I", 32)
    second = struct.pack("<H", 2) + struct.pack("<HHII", 513, 4, 1, 72) + struct.pack("<HHII", 514, 4, 1, len(preview))
    block = (b"II*\0\x08\0\0\0" + first).ljust(32, b"\0") + second + bytes(4)
    block = block.ljust(64, b"\0") + b"Maker\0\0\0" + preview
    assert read_directory(block, read_header(block), 32).entries.keys() == {513, 514}
    return b"Exif\0\0" + block
