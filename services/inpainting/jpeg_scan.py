"""Reads what is needed to read a JPEG's coefficients: its components, its Huffman codes, where its one scan begins."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inpainting.jpeg_quality import segments

_TABLES, _RESTARTS, _BASELINE, _EXTENDED = 0xC4, 0xDD, 0xC0, 0xC1
_ALL_COEFFICIENTS = bytes([0, 63, 0])


class Component(NamedTuple):
    """Brightness or a colour: how many blocks of it a unit has, and its codes."""

    across: int
    down: int
    dc: int
    ac: int


@dataclass(frozen=True)
class Scan:
    """A JPEG whose blocks lie unit by unit (MCU) in a single scan."""

    height: int
    width: int
    components: tuple[Component, ...]
    lengths: npt.NDArray[np.uint8]
    """`(8, 256)`: how long each symbol's code is, 0 for none. Tables 0 to 3 are for DC, 4 to 7 for AC."""
    codes: npt.NDArray[np.uint16]
    """`(8, 256)`."""
    symbols: npt.NDArray[np.uint16]
    """`(8, 65536 + 1024)`: for each next 16 bits the code's length times 256 plus its symbol; 0 where there is none.

    Then the same for each next 10 bits; 0 where the code is longer.
    """
    restart_units: int
    """So many units lie between restart markers; 0: there are none."""
    size_offset: int
    """Where the header says the height, and then the width."""
    offset: int
    """Where the coded blocks begin."""

    @property
    def unit_px(self) -> tuple[int, int]:
        """A unit's height and width."""
        return 8 * max(each.down for each in self.components), 8 * max(each.across for each in self.components)

    @property
    def units(self) -> tuple[int, int]:
        """Rows and columns of units."""
        height, width = self.unit_px
        return -(-self.height // height), -(-self.width // width)


def read_scan(data: bytes) -> Scan | None:
    """Return the scan of a JPEG with Huffman codes, or None where it has several (progressive ones have)."""
    parts, offset = segments(data)
    frames = [part for marker, part in parts if marker in (_BASELINE, _EXTENDED)]
    length, count = struct.unpack_from(">HB", data, offset + 2)
    named = data[offset + 5 : offset + 5 + 2 * count]
    if len(frames) != 1 or frames[0][0] != 8 or data[offset + 5 + 2 * count : offset + 2 + length] != _ALL_COEFFICIENTS:
        return None
    height, width = struct.unpack_from(">HH", frames[0], 1)
    framed = list(struct.iter_unpack("BBB", frames[0][6:]))
    if [each[0] for each in framed] != list(named[::2]) or not height:
        return None
    # A lone component lies block by block, whatever its factors are.
    factors = [(1, 1)] if count == 1 else [(both >> 4, both & 15) for _, both, _ in framed]
    tables = [(both >> 4 & 3, 4 + (both & 3)) for both in named[1::2]]
    components = tuple(Component(*one, *two) for one, two in zip(factors, tables, strict=True))
    restarts = [struct.unpack(">H", part)[0] for marker, part in parts if marker == _RESTARTS]
    lengths, codes, symbols = _codes([part for marker, part in parts if marker == _TABLES])
    size_offset = data.index(frames[0], 4, offset) + 1
    return Scan(
        height, width, components, lengths, codes, symbols, (restarts or [0])[-1], size_offset, offset + 2 + length
    )


def _codes(
    payloads: list[bytes],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
    lengths, codes = np.zeros((8, 256), np.uint8), np.zeros((8, 256), np.uint16)
    symbols = np.zeros((8, (1 << 16) + (1 << 10)), np.uint16)
    for payload in payloads:
        start = 0
        while start + 17 <= len(payload):
            table = (payload[start] >> 4 & 1) * 4 + (payload[start] & 3)
            counts = payload[start + 1 : start + 17]
            lengths[table], codes[table], symbols[table] = 0, 0, 0
            start, code = start + 17, 0
            for length, count in enumerate(counts, 1):
                for symbol in payload[start : start + count]:
                    first = min(code << (16 - length), 1 << 16)
                    last = min(first + (1 << (16 - length)), 1 << 16)
                    symbols[table, first:last] = length << 8 | symbol
                    lengths[table, symbol], codes[table, symbol] = length, code & 0xFFFF
                    code += 1
                start, code = start + count, code << 1
            short = symbols[table, : 1 << 16 : 1 << 6]
            symbols[table, 1 << 16 :] = np.where(short >> 8 <= 10, short, 0)
    return lengths, codes, symbols
