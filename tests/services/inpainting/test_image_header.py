"""Headers are read without decoding, and bombs are refused at once."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from inpainting.image_header import check_header, read_image_header
from inpainting.photo import BadPhoto, PhotoTooLarge


def saved(format: str, size: tuple[int, int] = (37, 21), mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, format, **options)
    return out.getvalue()


def bomb(format: str) -> bytes:
    """A small file that announces 50,000 by 50,000 pixels."""
    if format == "png":
        source = bytearray(saved("PNG"))
        source[16:24] = struct.pack(">II", 50_000, 50_000)
        source[29:33] = struct.pack(">I", zlib.crc32(source[12:29]))
        return bytes(source)
    if format == "jpeg":
        source = bytearray(saved("JPEG"))
        at = source.index(b"\xff\xc0")
        source[at + 5 : at + 9] = struct.pack(">HH", 50_000, 50_000)
        return bytes(source)
    if format == "webp":
        source = bytearray(saved("WEBP", lossless=True, exif=b"II*\0\x08\0\0\0\0\0\0\0\0\0"))
        at = source.index(b"VP8X")
        source[at + 12 : at + 18] = (16_382).to_bytes(3, "little") * 2
        return bytes(source)
    out = io.BytesIO()
    tifffile.imwrite(out, np.zeros((4, 4, 3), np.uint8), photometric="rgb")
    source = bytearray(out.getvalue())
    for tag in (256, 257):
        at = source.index(struct.pack("<HH", tag, 3)) if struct.pack("<HH", tag, 3) in source else -1
        at = at if at >= 0 else source.index(struct.pack("<HH", tag, 4))
        source[at + 2 : at + 12] = struct.pack("<HII", 4, 1, 50_000)
    return bytes(source)


@pytest.mark.parametrize(
    ("source", "facts"),
    [
        (saved("JPEG"), ("jpeg", 37, 21, 3, 8)),
        (saved("JPEG", mode="L", progressive=True), ("jpeg", 37, 21, 1, 8)),
        (saved("PNG", mode="RGBA"), ("png", 37, 21, 4, 8)),
        (saved("PNG", mode="I;16"), ("png", 37, 21, 1, 16)),
        (saved("PNG", mode="LA"), ("png", 37, 21, 2, 8)),
        (saved("WEBP"), ("webp", 37, 21, 3, 8)),
        (saved("WEBP", lossless=True), ("webp", 37, 21, 3, 8)),
        (saved("WEBP", mode="RGBA", lossless=True, exif=b"II*\0"), ("webp", 37, 21, 4, 8)),
        (saved("TIFF"), ("tiff", 37, 21, 3, 8)),
        (saved("TIFF", mode="I;16", compression="tiff_lzw"), ("tiff", 37, 21, 1, 16)),
    ],
)
def test_headers_tell_format_size_channels_and_bits(source: bytes, facts: tuple[str, int, int, int, int]) -> None:
    header = read_image_header(source)
    assert (header.format, header.width, header.height, header.channels, header.bits) == facts
    assert header.frames == 1


@pytest.mark.parametrize("format", ["jpeg", "png", "tiff", "webp"])
def test_bombs_are_refused_within_fifty_milliseconds_and_megabytes(format: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(bomb(format))
    program = f"""
import resource, time
from pathlib import Path
from inpainting.codec import decode_file
from inpainting.photo import PhotoTooLarge
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begin = time.process_time()
try:
    decode_file(Path({str(path)!r}), field="photo")
except PhotoTooLarge as refused:
    print(time.process_time() - begin, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, refused)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    seconds, megabytes, message = done.stdout.split(maxsplit=2)
    assert float(seconds) <= 0.05
    assert float(megabytes) <= 50
    assert message.startswith("photo: it has ")
    assert "megapixels; at most 120 are taken" in message


def test_a_photo_of_just_as_many_pixels_is_taken() -> None:
    assert check_header(saved("PNG"), max_pixels=37 * 21).width == 37
    with pytest.raises(PhotoTooLarge, match=r"mask: it has 37x21 = 0\.0 megapixels"):
        check_header(saved("PNG"), max_pixels=37 * 21 - 1, field="mask")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"", "it is empty"),
        (b"hello, this is text", "it is no image; JPEG, PNG, TIFF and WebP are"),
        (saved("GIF", mode="P"), "GIF files are not taken"),
        (saved("BMP"), "BMP files are not taken"),
        (b"\0\0\0\x20ftypheic" + bytes(20), "HEIC files are not taken"),
        (b"\0\0\0\x20ftypavif" + b"avif" * 4, "AVIF files are not taken"),
    ],
)
def test_other_files_are_refused_by_name(source: bytes, message: str) -> None:
    with pytest.raises(BadPhoto, match=message):
        read_image_header(source)


def test_a_picture_without_pixels_is_refused() -> None:
    source = bytearray(saved("PNG"))
    source[16:20] = bytes(4)
    with pytest.raises(BadPhoto, match="0x21"):
        check_header(bytes(source))


def test_directories_in_a_circle_end() -> None:
    source = bytearray(saved("TIFF"))
    first = struct.unpack_from("<I", source, 4)[0]
    count = struct.unpack_from("<H", source, first)[0]
    source[first + 2 + 12 * count : first + 6 + 12 * count] = struct.pack("<I", first)
    begin = time.process_time()
    assert read_image_header(bytes(source)).frames == 2
    assert time.process_time() - begin < 1
