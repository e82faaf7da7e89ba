"""PNGs keep their chunks, and nothing packed in them is unpacked."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from skimage import data

from inpainting import codec
from inpainting.codec_png import SIGNATURE
from inpainting.photo import BadPhoto

RGB = data.chelsea()[:64, :80]


def png(image: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", **options)
    return out.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def names(source: bytes) -> list[bytes]:
    found, offset = [], 8
    while offset < len(source):
        length, name = struct.unpack_from(">I4s", source, offset)
        found.append(name)
        offset += 12 + length
    return found


def with_chunks(source: bytes, *chunks: bytes) -> bytes:
    return source[:33] + b"".join(chunks) + source[33:]


def test_chunks_beside_the_picture_are_kept_and_those_about_the_old_bytes_are_not() -> None:
    source = with_chunks(
        png(Image.fromarray(RGB)),
        chunk(b"gAMA", struct.pack(">I", 45455)),
        chunk(b"pHYs", struct.pack(">IIB", 3780, 3780, 1)),
        chunk(b"sBIT", b"\x08\x08\x08"),
        chunk(b"tEXt", b"Author\0Ada"),
        chunk(b"tIME", bytes(7)),
        chunk(b"teSt", b"unknown, safe to copy"),
        chunk(b"idOT", b"unknown, depends on the picture"),
    )
    written = codec.encode(codec.decode(source))
    kept = [name for name in names(written) if name != b"IDAT"]
    assert kept == [b"IHDR", b"gAMA", b"pHYs", b"sBIT", b"tEXt", b"teSt", b"IEND"]
    assert b"Author\0Ada" in written


@pytest.mark.parametrize("transparency", [None, 3])
def test_a_palette_becomes_its_colours(transparency: int | None) -> None:
    image = Image.fromarray(RGB).quantize(16)
    options = {} if transparency is None else {"transparency": transparency}
    photo = codec.decode(png(image, **options))
    assert (photo.pixels == np.array(image.convert("RGB"))).all()
    assert (photo.alpha is not None) == (transparency is not None)
    if photo.alpha is not None:
        assert ((photo.alpha == 0) == (np.array(image) == transparency)).all()
    again = codec.decode(codec.encode(photo))
    assert (again.pixels == photo.pixels).all()


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_become_eight(bits: int) -> None:
    levels = (1 << bits) - 1
    values = (np.arange(64 * 8).reshape(64, 8) % (levels + 1)).astype(np.uint8)
    packed = np.packbits(np.unpackbits(values[:, :, None], axis=2)[:, :, 8 - bits :].reshape(64, -1), axis=1)
    rows = b"".join(b"\0" + row.tobytes() for row in packed)
    header = struct.pack(">IIBBBBB", 8, 64, bits, 0, 0, 0, 0)
    source = SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert (codec.decode(source).pixels[:, :, 0] == values * (255 // levels)).all()


def test_interlaced_files_are_read() -> None:
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 1)
    picture = zlib.compress(b"\0\x01\x02\x03")
    source = SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", picture) + chunk(b"IEND", b"")
    assert codec.decode(source).pixels.tolist() == [[[1, 2, 3]]]


def test_a_wrong_checksum_is_named() -> None:
    source = bytearray(png(Image.fromarray(RGB)))
    source[60] ^= 1
    with pytest.raises(BadPhoto, match="checksum of chunk IDAT"):
        codec.decode(bytes(source))


def test_a_bomb_in_a_profile_or_text_stays_packed() -> None:
    bomb = zlib.compress(bytes(200 << 20), 9)
    source = with_chunks(
        png(Image.fromarray(RGB)),
        chunk(b"iCCP", b"bomb\0\0" + bomb),
        chunk(b"zTXt", b"bomb\0\0" + bomb),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb),
    )
    photo = codec.decode(source)
    assert photo.metadata.icc is None
    assert photo.metadata.xmp is None
    assert (photo.pixels == RGB).all()


def test_animations_are_refused() -> None:
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    with pytest.raises(BadPhoto, match="several pictures"):
        codec.decode(png(frames[0], save_all=True, append_images=frames[1:]))


def test_the_picture_must_be_as_large_as_its_header_says() -> None:
    source = bytearray(png(Image.fromarray(RGB)))
    source[16:24] = struct.pack(">II", 80, 640)
    source[29:33] = struct.pack(">I", zlib.crc32(source[12:29]))
    with pytest.raises(BadPhoto):
        codec.decode(bytes(source))
