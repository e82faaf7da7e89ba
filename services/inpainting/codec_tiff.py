"""TIFF in and out: 8 and 16 bits, the source's compression and byte order, and every tag that still holds."""

from __future__ import annotations

import io
import logging
import math
import struct
from dataclasses import dataclass
from typing import Literal

import imagecodecs
import numpy as np
import tifffile

from inpainting import codec_exif
from inpainting.codec_ifd import (
    BadDirectory,
    Entry,
    Tree,
    number_entry,
    read_header,
    read_tree,
    swapped,
    without,
    write_tree,
)
from inpainting.image_header import ImageHeader
from inpainting.photo import BadPhoto, Metadata, Photo, Pixels
from service_kit.errors import InvalidArgument

# What is wrong with a file is said in our own errors, once.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)

NONE, LZW, DEFLATE, PACKBITS = 1, 5, 8, 32773
_STRIP_BYTES = 1 << 20
_MOST_BYTES = (1 << 32) - (1 << 20)
_ICC, _XMP, _ORIENTATION = 34675, 700, 274
# Describes the stored picture and is written anew.
_PICTURE = (
    *(254, 255, 256, 257, 258, 259, 262, 266, 273, _ORIENTATION, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291, 292),
    *(
        293,
        317,
        318,
        320,
        322,
        323,
        324,
        325,
        332,
        334,
        336,
        338,
        339,
        340,
        341,
        347,
        512,
        513,
        514,
        515,
        517,
        518,
        519,
    ),
    *(520, 521, 529, 530, 531, 532),
)
# Previews, Photoshop's resources and its layers: they still show what was removed.
_PREVIEWS = (330, 34377, 37724)


@dataclass(frozen=True)
class Original:
    """What only a TIFF can give back."""

    order: Literal["<", ">"]
    compression: int
    tags: Tree
    associated: bool
    """Whether the colours are multiplied by the transparency."""


def decode(data: bytes, header: ImageHeader, field: str) -> Photo:
    """Return the photo, upright. Raises `BadPhoto`."""
    if header.bits not in (8, 16):
        raise BadPhoto.of([(field, f"this TIFF has {header.bits} bits for each value; 8 and 16 are taken")])
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages[0]
            assert isinstance(page, tifffile.TiffPage)
            _check_whole(page, len(data))
            values = _values(page, field)
            compression, extra = int(page.compression), tuple(int(kind) for kind in page.extrasamples)
        structure = read_header(data)
        tags = read_tree(data, structure, structure.first)
    except BadPhoto:
        raise
    except Exception as damaged:
        # The reader and its decompressors raise whatever they stumble over.
        raise BadPhoto.of([(field, f"this TIFF is damaged or cut off: {damaged}")]) from damaged
    turn = _turn(tags, structure.order)
    values = codec_exif.upright(values, turn)
    channels = 3 if values.shape[2] >= 3 else 1
    alpha = np.ascontiguousarray(values[:, :, channels]) if values.shape[2] > channels else None
    pixels = np.ascontiguousarray(values[:, :, :channels])
    icc, xmp = tags.get(_ICC), tags.get(_XMP)
    kept = without(tags, _PICTURE + _PREVIEWS)
    if isinstance(xmp, Entry):
        packet = codec_exif.reset_xmp(xmp.value)
        kept[_XMP] = Entry(_XMP, xmp.kind, len(packet), packet)
    exif = without(kept, (_ICC, _XMP))
    metadata = Metadata(
        icc.value if isinstance(icc, Entry) else None,
        _exif(exif, structure.order) if exif else None,
        kept[_XMP].value if isinstance(kept.get(_XMP), Entry) else None,  # type: ignore[union-attr]
    )
    return Photo(
        pixels, alpha, metadata, "tiff", Original(">" if structure.order == ">" else "<", compression, kept, 1 in extra)
    )


def encode(photo: Photo) -> bytes:
    """Return a TIFF; every pixel is as it is in the photo. Raises InvalidArgument for more than 4 GiB."""
    original = photo.original if isinstance(photo.original, Original) else None
    order: Literal["<", ">"] = original.order if original else "<"
    compression = _compression(original.compression if original else DEFLATE)
    values = photo.pixels
    if photo.alpha is not None:
        values = np.concatenate([values, photo.alpha[:, :, None]], axis=2)
    if values.nbytes > _MOST_BYTES:
        raise InvalidArgument.of([("format", "a TIFF holds at most 4 GiB")])
    rows = max(1, _STRIP_BYTES // (values.shape[1] * values.shape[2] * values.dtype.itemsize))
    out = bytearray(8)
    offsets, lengths = [], []
    for top in range(0, values.shape[0], rows):
        strip = _strip(values[top : top + rows], compression, order)
        offsets.append(len(out))
        lengths.append(len(strip))
        out += strip
    out += bytes(len(out) % 2)
    tree = original.tags if original else _made(photo.metadata, order)
    described = {
        254: ([0], 4),
        256: ([values.shape[1]], 4),
        257: ([values.shape[0]], 4),
        258: ([values.dtype.itemsize * 8] * values.shape[2], 3),
        259: ([compression], 3),
        262: ([2 if photo.pixels.shape[2] == 3 else 1], 3),
        273: (offsets, 4),
        _ORIENTATION: ([1], 3),
        277: ([values.shape[2]], 3),
        278: ([rows], 4),
        279: (lengths, 4),
        284: ([1], 3),
    }
    if compression in (LZW, DEFLATE):
        described[317] = ([2], 3)
    if photo.alpha is not None:
        described[338] = ([1 if original and original.associated else 2], 3)
    tree = tree | {tag: number_entry(tag, numbers, order, kind) for tag, (numbers, kind) in described.items()}
    first = len(out)
    out += write_tree(tree, order, first)
    out[:8] = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, first)
    return bytes(out)


def _check_whole(page: tifffile.TiffPage, size_bytes: int) -> None:
    """Raises ValueError where a part of the picture is not in the file: the reader would fill it with black."""
    places = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if len(places) != math.prod(page.chunked):
        raise ValueError(f"{len(places)} of {math.prod(page.chunked)} parts of the picture are there")
    if any(offset <= 0 or length <= 0 or offset + length > size_bytes for offset, length in places):
        raise ValueError("a part of the picture lies outside the file")


def _values(page: tifffile.TiffPage, field: str) -> Pixels:
    """Return `(height, width, samples)`, RGB or grey, dark = 0."""
    photometric, samples = int(page.photometric), page.samplesperpixel
    colours = {0: 1, 1: 1, 2: 3, 6: 3}.get(photometric)
    if colours is None:
        names = {3: "a palette", 5: "CMYK", 8: "Lab", 32803: "raw sensor values"}
        what = names.get(photometric, f"photometric interpretation {photometric}")
        raise BadPhoto.of([(field, f"this TIFF has {what}, which could not be written back; convert it to RGB")])
    if samples - colours not in (0, 1) or int(page.sampleformat) != 1:
        what = f"{samples} channels of format {int(page.sampleformat)}"
        taken = "whole numbers, grey or RGB, with one channel of transparency at most, are taken"
        raise BadPhoto.of([(field, f"this TIFF has {what}; {taken}")])
    values = page.asarray(maxworkers=1)
    if int(page.planarconfig) == 2 and samples > 1:
        values = np.moveaxis(values, 0, -1)
    values = values.reshape(page.imagelength, page.imagewidth, samples)
    if photometric == 0:
        values = np.concatenate([np.iinfo(values.dtype).max - values[:, :, :1], values[:, :, 1:]], axis=2)
    native = np.uint8 if values.dtype.itemsize == 1 else np.uint16
    return np.ascontiguousarray(values.astype(native, copy=False))


def _strip(part: Pixels, compression: int, order: Literal["<", ">"]) -> bytes:
    if compression in (LZW, DEFLATE):
        part = imagecodecs.delta_encode(np.ascontiguousarray(part), axis=-2)
    stored = np.ascontiguousarray(part.astype(part.dtype.newbyteorder(order), copy=False)).tobytes()
    if compression == LZW:
        return bytes(imagecodecs.lzw_encode(stored))
    if compression == DEFLATE:
        return bytes(imagecodecs.deflate_encode(stored, level=6))
    if compression == PACKBITS:
        # Each row is packed alone.
        row = len(stored) // part.shape[0]
        return b"".join(imagecodecs.packbits_encode(stored[at : at + row]) for at in range(0, len(stored), row))
    return stored


def _compression(wanted: int) -> int:
    """Return the source's compression, or deflate for one that would lose something or is rare."""
    return wanted if wanted in (NONE, LZW, PACKBITS) else DEFLATE


def _turn(tags: Tree, order: str) -> int:
    entry = tags.get(_ORIENTATION)
    value = struct.unpack_from(order + "H", entry.value)[0] if isinstance(entry, Entry) and len(entry.value) >= 2 else 1
    return int(value) if 1 <= value <= 8 else 1


def _exif(tree: Tree, order: str) -> bytes:
    start = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    return start + write_tree(tree | {_ORIENTATION: number_entry(_ORIENTATION, [1], order, 3)}, order, 8)


def _made(metadata: Metadata, order: str) -> Tree:
    tree: Tree = {}
    if metadata.exif:
        try:
            header = read_header(metadata.exif)
            block = read_tree(metadata.exif, header, header.first)
            tree = swapped(without(block, _PICTURE + _PREVIEWS), header.order, order)
        except BadDirectory:
            tree = {}
    if metadata.icc:
        tree[_ICC] = Entry(_ICC, 7, len(metadata.icc), metadata.icc)
    if metadata.xmp:
        tree[_XMP] = Entry(_XMP, 1, len(metadata.xmp), metadata.xmp)
    return tree
