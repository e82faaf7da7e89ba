"""Decides of which parts an S3 object is uploaded: the rules of multipart uploads as plain arithmetic.

S3 takes at most 10,000 parts, each but the last at least 5 MiB and at most 5 GiB. A part either is copied inside the
store from a range of one source, or its bytes go through this process, gathered from any number of pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

_MIB = 1 << 20


@dataclass(frozen=True)
class PartLimits:
    """What the server allows, and what is good for it; the tests use smaller numbers."""

    parts: int = 10_000
    smallest_bytes: int = 5 * _MIB
    # Held in memory, a few at a time.
    streamed_bytes: int = 8 * _MIB
    # Small enough that a slow disk copies it before the store seems dead, and that progress shows.
    copied_bytes: int = 64 * _MIB

    @property
    def sources(self) -> int:
        """How many sources always fit into one upload: a source begins a part, the other half is for cutting them."""
        return self.parts // 2


@dataclass(frozen=True)
class Piece:
    """A range of one source; `source` is its place in the list of sources."""

    source: int
    offset: int
    size_bytes: int


@dataclass(frozen=True)
class UploadPart:
    """A part: copied inside the store (then it has one piece), or streamed through this process."""

    pieces: tuple[Piece, ...]
    copied: bool = False

    @property
    def size_bytes(self) -> int:
        """Return the part's size."""
        return sum(piece.size_bytes for piece in self.pieces)


def streamed_parts(sizes: Sequence[int], limits: PartLimits) -> list[UploadPart]:
    """Cut the concatenation into streamed parts of one size; the last has what is left."""
    total = sum(sizes)
    part_bytes = max(limits.streamed_bytes, -(-total // limits.parts))
    starts = [0, *accumulate(sizes)]
    parts = []
    source = 0
    for start in range(0, total, part_bytes):
        end = min(total, start + part_bytes)
        pieces = []
        while start < end:
            while starts[source + 1] <= start:
                source += 1
            size_bytes = min(end, starts[source + 1]) - start
            pieces.append(Piece(source, start - starts[source], size_bytes))
            start += size_bytes
        parts.append(UploadPart(tuple(pieces)))
    return parts


def composed_parts(sizes: Sequence[int], limits: PartLimits) -> list[UploadPart]:
    """Cut the concatenation into parts that are copied wherever the rules allow it.

    Sources too small for a part of their own are gathered, with the head of the next larger one to fill up, so
    fewer than twice the smallest part goes through this process for each run of them, beyond the run itself.
    """
    total = sum(sizes)
    if total <= limits.streamed_bytes:
        # One request instead of three, and nothing to clean up.
        return streamed_parts(sizes, limits)
    copied_bytes = max(limits.copied_bytes, -(-total // limits.sources))
    parts: list[UploadPart] = []
    gathered: list[Piece] = []
    gathered_bytes = 0
    for source, size_bytes in enumerate(sizes):
        taken = 0
        if gathered or size_bytes < limits.smallest_bytes:
            missing = limits.smallest_bytes - gathered_bytes
            # What is left must be a part of its own, or goes along.
            taken = missing if size_bytes - missing >= limits.smallest_bytes else size_bytes
            if taken:
                gathered.append(Piece(source, 0, taken))
                gathered_bytes += taken
            if gathered_bytes >= limits.smallest_bytes:
                parts.append(UploadPart(tuple(gathered)))
                gathered, gathered_bytes = [], 0
        parts += _copied(source, taken, size_bytes - taken, copied_bytes)
    if gathered:
        parts.append(UploadPart(tuple(gathered)))
    return parts


def _copied(source: int, offset: int, size_bytes: int, most_bytes: int) -> list[UploadPart]:
    """Cut the range into as few parts as possible of nearly one size, so that none is too small."""
    count = -(-size_bytes // most_bytes)
    bounds = [offset + size_bytes * number // count for number in range(count + 1)] if count else [offset]
    return [UploadPart((Piece(source, start, end - start),), copied=True) for start, end in pairwise(bounds)]
