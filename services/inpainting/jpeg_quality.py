"""Reads how a JPEG was compressed (quantisation, subsampling, scans), so that it can be compressed the same again."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

ZIGZAG = (
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
)  # fmt: skip
# The first coefficients of Annex K's luminance table, by which the quality number scales.
_ANNEX_K_SUM = 3688


@dataclass(frozen=True)
class JpegQuality:
    """How a JPEG was compressed."""

    tables: tuple[tuple[int, ...], ...]
    """One quantisation table for each component, 64 numbers row by row."""
    sampling: tuple[tuple[int, int], ...]
    """Each component's (horizontal, vertical) factors."""
    progressive: bool = False
    rgb: bool = False
    """Stored as RGB and not as brightness and colour."""

    @property
    def subsampling(self) -> str:
        """4:4:4, 4:2:2 or 4:2:0: the file's own, or the next finer of them."""
        if len(self.sampling) < 3:
            return "4:4:4"
        across = {self.sampling[0][0] / component[0] for component in self.sampling[1:]}
        down = {self.sampling[0][1] / component[1] for component in self.sampling[1:]}
        if min(across) < 2:
            return "4:4:4"
        return "4:2:0" if min(down) >= 2 else "4:2:2"

    @property
    def exact_subsampling(self) -> bool:
        """Whether `subsampling` is the file's own."""
        if len(self.sampling) < 3:
            return True
        factors = {"4:4:4": (1, 1), "4:2:2": (2, 1), "4:2:0": (2, 2)}[self.subsampling]
        return all(
            (self.sampling[0][0], self.sampling[0][1]) == (factors[0] * across, factors[1] * down)
            for across, down in self.sampling[1:]
        )

    @property
    def quality(self) -> int:
        """The nearest number of the usual scale from 1 to 100, by the brightness table's sum; too high below 20."""
        scale = 100 * sum(self.tables[0]) / _ANNEX_K_SUM
        return round(max(1, min(100, (200 - scale) / 2 if scale <= 100 else 5000 / scale)))


def read_jpeg_quality(data: bytes) -> JpegQuality:
    """Return how the JPEG was compressed. Raises ValueError where its headers do not say."""
    tables: dict[int, tuple[int, ...]] = {}
    frame: list[tuple[int, int, int, int]] = []
    progressive, adobe_transform, jfif = False, None, False
    for marker, payload in segments(data).parts:
        if marker == 0xDB:
            tables |= _tables(payload)
        elif marker in (0xC0, 0xC1, 0xC2):
            progressive = marker == 0xC2
            frame = [(one, two >> 4, two & 15, three) for one, two, three in struct.iter_unpack("BBB", payload[6:])]
        elif marker == 0xE0 and payload[:5] == b"JFIF\0":
            jfif = True
        elif marker == 0xEE and payload[:5] == b"Adobe" and len(payload) >= 12:
            adobe_transform = payload[11]
    if not frame or any(component[3] not in tables for component in frame):
        raise ValueError("no quantisation tables before the scan")
    letters = bytes(component[0] for component in frame) == b"RGB"
    rgb = len(frame) == 3 and not jfif and (adobe_transform == 0 or (adobe_transform is None and letters))
    return JpegQuality(
        tuple(tables[component[3]] for component in frame),
        tuple((component[1], component[2]) for component in frame),
        progressive,
        rgb,
    )


class Segments(NamedTuple):
    """What stands before a JPEG's first scan."""

    parts: list[tuple[int, bytes]]
    """(marker, payload) pairs."""
    scan_offset: int


def segments(data: bytes) -> Segments:
    """Return what stands before the first scan. Raises ValueError where it is cut off."""
    found: list[tuple[int, bytes]] = []
    offset = 2
    while True:
        try:
            start, marker = struct.unpack_from("BB", data, offset)
            if start != 0xFF:
                raise ValueError("no marker where one should be")
            if marker in (0xFF, 0x01) or 0xD0 <= marker <= 0xD8:
                offset += 1 if marker == 0xFF else 2
                continue
            if marker == 0xDA:
                return Segments(found, offset)
            length = struct.unpack_from(">H", data, offset + 2)[0]
        except struct.error as cut:
            raise ValueError("the file ends before its scan") from cut
        payload = bytes(data[offset + 4 : offset + 2 + length])
        if length < 2 or len(payload) != length - 2:
            raise ValueError("a segment that is cut off")
        found.append((marker, payload))
        offset += 2 + length


def _tables(payload: bytes) -> dict[int, tuple[int, ...]]:
    tables, offset = {}, 0
    while offset < len(payload):
        wide, number = payload[offset] >> 4, payload[offset] & 15
        size = 128 if wide else 64
        raw = payload[offset + 1 : offset + 1 + size]
        if len(raw) < size:
            raise ValueError("a quantisation table that is cut off")
        values = struct.unpack(">64H" if wide else "64B", raw)
        natural = [0] * 64
        for place, value in zip(ZIGZAG, values, strict=True):
            natural[place] = value
        tables[number] = tuple(natural)
        offset += 1 + size
    return tables
