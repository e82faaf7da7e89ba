"""Reads from a lossy WebP how strongly it was quantised, and turns that into libwebp's quality number."""

from __future__ import annotations

UNKNOWN_QUALITY = 90
"""Where the header cannot be read."""


def lossy_quality(frame: bytes) -> int:
    """Return the quality, 1 to 100, that gives about the quantiser of a VP8 frame (RFC 6386, section 9)."""
    quantiser = _quantiser(frame)
    if quantiser is None:
        return UNKNOWN_QUALITY
    # libwebp: quantiser = 127 (1 - c^(1/3)), and c = 2/3 of the quality below 75 %, and 2 quality - 1 above.
    linear = (1 - min(126, quantiser) / 127) ** 3
    quality = 1.5 * linear if linear < 0.5 else (linear + 1) / 2
    return max(1, min(100, round(100 * quality)))


def _quantiser(frame: bytes) -> int | None:
    """Return the finest quantiser index of the frame's segments, 0 to 127."""
    if len(frame) < 16 or frame[3:6] != b"\x9d\x01\x2a" or frame[0] & 1:
        return None
    bits = _BoolDecoder(frame[10:])
    bits.literal(2)  # colour space, clamping
    segments: list[int] = []
    absolute = 0
    if bits.literal(1):
        update_map, update_values = bits.literal(1), bits.literal(1)
        if update_values:
            absolute = bits.literal(1)
            segments = [bits.optional(7) for _ in range(4)]
            for _ in range(4):
                bits.optional(6)
        if update_map:
            for _ in range(3):
                if bits.literal(1):
                    bits.literal(8)
    bits.literal(1 + 6 + 3)  # the loop filter's kind, level and sharpness
    if bits.literal(1) and bits.literal(1):
        for _ in range(8):
            bits.optional(6)
    bits.literal(2)  # the number of partitions
    base = bits.literal(7)
    if not segments:
        return base
    values = segments if absolute else [base + value for value in segments]
    return max(0, min(127, round(sum(values) / len(values))))


class _BoolDecoder:
    """The arithmetic decoder of RFC 6386, section 7, for bits that are as likely 0 as 1."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._value = int.from_bytes(data[:2], "big")
        self._next = 2
        self._range = 255
        self._shifted = 0

    def literal(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self._bit()
        return value

    def optional(self, count: int) -> int:
        """Return a number with its sign where it is there, else 0."""
        if not self._bit():
            return 0
        value = self.literal(count)
        return -value if self._bit() else value

    def _bit(self) -> int:
        split = 1 + ((self._range - 1) * 128 >> 8)
        if self._value >= split << 8:
            bit, self._range, self._value = 1, self._range - split, self._value - (split << 8)
        else:
            bit, self._range = 0, split
        while self._range < 128:
            self._value <<= 1
            self._range <<= 1
            self._shifted += 1
            if self._shifted == 8:
                self._shifted = 0
                if self._next < len(self._data):
                    self._value |= self._data[self._next]
                self._next += 1
        return bit
