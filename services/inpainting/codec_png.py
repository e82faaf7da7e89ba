"""PNG in and out: 8 and 16 bits, grey and colour, with or without transparency, and the chunks beside the picture."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TypeAlias

import imagecodecs
import numpy as np

from inpainting import codec_exif
from inpainting.image_header import ImageHeader
from inpainting.photo import BadPhoto, Metadata, Photo

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Higher levels take twice as long and save a hundredth.
COMPRESSION_LEVEL = 3
_PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
# These say something about the stored values, and hold only while those are of the same kind.
_OF_THE_KIND = (b"sBIT", b"bKGD", b"hIST", b"sPLT")
_CARRIED = (b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"mDCV", b"cLLI", b"pHYs", b"eXIf", b"sBIT", b"bKGD")
_MOST_TEXT_BYTES = 16 << 20
Chunks: TypeAlias = list[tuple[bytes, memoryview]]

_XMP = b"XML:com.adobe.xmp\0"


@dataclass(frozen=True)
class Original:
    """What only a PNG can give back: its chunks beside the picture, ready to be written."""

    chunks: tuple[tuple[bytes, bytes], ...]


def decode(data: bytes, header: ImageHeader, field: str) -> Photo:
    """Return the photo, upright. Raises `BadPhoto`."""
    try:
        chunks = _chunks(memoryview(data))
        # The decoder sees the picture alone: a bomb in a text or a profile stays packed.
        bare = b"".join([SIGNATURE, *(_chunk(name, body) for name, body in chunks if name in _PICTURE)])
        values = imagecodecs.png_decode(bare)
        del bare
    except (ValueError, imagecodecs.PngError) as damaged:
        raise BadPhoto.of([(field, f"this PNG is damaged or cut off: {damaged}")]) from damaged
    values = values[:, :, None] if values.ndim == 2 else values
    exif = next((bytes(body) for name, body in chunks if name == b"eXIf"), None)
    values = codec_exif.upright(values, codec_exif.orientation(exif) if exif else 1)
    channels = values.shape[2] - (values.shape[2] in (2, 4))
    alpha = np.ascontiguousarray(values[:, :, channels]) if channels < values.shape[2] else None
    pixels = np.ascontiguousarray(values[:, :, :channels])
    same_kind = not any(name in (b"PLTE", b"tRNS") for name, _ in chunks) and header.bits >= 8
    kept = tuple(_kept(chunks, same_kind, pixels.shape[1], pixels.shape[0]))
    return Photo(pixels, alpha, _metadata(kept), "png", Original(kept))


def encode(photo: Photo) -> bytes:
    """Return a PNG; every pixel is as it is in the photo."""
    values = photo.pixels
    if photo.alpha is not None:
        values = np.concatenate([values, photo.alpha[:, :, None]], axis=2)
    elif values.shape[2] == 1:
        values = values[:, :, 0]
    encoded = imagecodecs.png_encode(values, level=COMPRESSION_LEVEL)
    chunks = photo.original.chunks if isinstance(photo.original, Original) else tuple(_made(photo.metadata))
    # Signature and IHDR are 33 bytes; everything else may follow them.
    return b"".join([encoded[:33], *(_chunk(name, body) for name, body in chunks), memoryview(encoded)[33:]])


def _chunks(data: memoryview) -> Chunks:
    """Return every chunk. Raises ValueError for a wrong checksum and for a file that ends early."""
    found: Chunks = []
    offset = len(SIGNATURE)
    while not found or found[-1][0] != b"IEND":
        if offset + 12 > len(data):
            raise ValueError("it ends early")
        length, name = struct.unpack_from(">I4s", data, offset)
        body = data[offset + 8 : offset + 8 + length]
        if offset + 12 + length > len(data):
            raise ValueError("it ends early")
        if zlib.crc32(data[offset + 4 : offset + 8 + length]) != struct.unpack_from(">I", data, offset + 8 + length)[0]:
            raise ValueError(f"the checksum of chunk {name.decode('latin-1')} is wrong")
        found.append((name, body))
        offset += 12 + length
    return found


def _kept(chunks: Chunks, same_kind: bool, width: int, height: int) -> list[tuple[bytes, bytes]]:
    kept: list[tuple[bytes, bytes]] = []
    for name, view in chunks:
        if name in _PICTURE or (name in _OF_THE_KIND and not same_kind) or name == b"tIME":
            continue
        body = bytes(view)
        if name == b"eXIf":
            reset = codec_exif.reset(body, width, height)
            if reset is None:
                continue
            body = reset
        elif name == b"iTXt" and body.startswith(_XMP):
            packet = _text(body)
            if packet is None:
                continue
            body = _xmp_chunk(codec_exif.reset_xmp(packet))
        elif name not in _CARRIED and not name[3:4].islower():
            # An unknown chunk says by its name that it depends on the picture (PNG, section 5.4).
            continue
        kept.append((name, body))
    return kept


def _metadata(chunks: tuple[tuple[bytes, bytes], ...]) -> Metadata:
    named = dict(reversed(chunks))
    profile = named.get(b"iCCP")
    packets = [_text(body) for name, body in chunks if name == b"iTXt" and body.startswith(_XMP)]
    icc = _unpacked(profile.split(b"\0", 1)[1][1:]) if profile and b"\0" in profile else None
    return Metadata(icc, named.get(b"eXIf"), packets[0] if packets else None)


def _made(metadata: Metadata) -> list[tuple[bytes, bytes]]:
    made = []
    if metadata.icc:
        made.append((b"iCCP", b"ICC Profile\0\0" + zlib.compress(metadata.icc)))
    if metadata.exif:
        made.append((b"eXIf", metadata.exif))
    if metadata.xmp:
        made.append((b"iTXt", _xmp_chunk(metadata.xmp)))
    return made


def _text(body: bytes) -> bytes | None:
    """Return the text of an iTXt chunk (keyword, flags, language, translated keyword), or None if it is too large."""
    flags = body[len(_XMP) : len(_XMP) + 2]
    parts = body[len(_XMP) + 2 :].split(b"\0", 2)
    if len(parts) < 3:
        return None
    return _unpacked(parts[2]) if flags[:1] == b"\1" else parts[2]


def _xmp_chunk(packet: bytes) -> bytes:
    return _XMP + b"\0\0\0\0" + packet


def _unpacked(packed: bytes) -> bytes | None:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, _MOST_TEXT_BYTES)
    except zlib.error:
        return None
    return text if unpacker.eof else None


def _chunk(name: bytes, body: bytes | memoryview) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(name))
    return b"".join((struct.pack(">I", len(body)), name, body, struct.pack(">I", checksum)))
