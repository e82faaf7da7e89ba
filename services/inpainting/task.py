"""What one photo is to go through, and what comes of it: plain values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

MAX_CANDIDATES = 8


@dataclass(frozen=True)
class Source:
    """A file's bytes, or where they are: exactly one is set."""

    content: bytes = b""
    kept: str = ""
    """``photos/{sha256}``."""
    object: str = ""
    """The name of an object in the store."""

    @property
    def empty(self) -> bool:
        """Whether nothing was given."""
        return not (self.content or self.kept or self.object)


Point: TypeAlias = tuple[float, float]
"""x and y, in pixels of the upright photo."""


@dataclass(frozen=True)
class Shapes:
    """What is marked beside the mask's image, all in pixels of the upright photo."""

    boxes: tuple[tuple[int, int, int, int], ...] = ()
    """x, y, width and height."""
    polygons: tuple[tuple[Point, ...], ...] = ()
    strokes: tuple[tuple[tuple[Point, ...], float], ...] = ()
    """Points, and the brush's diameter."""
    grow_px: int = 0
    feather_px: int = 0


@dataclass(frozen=True)
class Options:
    """How to fill."""

    model: str = ""
    """Empty: the default."""
    strategy: str = ""
    """Empty or `auto`: what suits the model."""
    seed: int = 0
    candidate_count: int = 1


@dataclass(frozen=True)
class Task:
    """One photo, what is to go from it, and how."""

    photo: Source
    mask_image: Source = field(default_factory=Source)
    shapes: Shapes = field(default_factory=lambda: Shapes())
    options: Options = field(default_factory=Options)

    @property
    def size_bytes(self) -> int:
        """What it holds in memory while it waits."""
        return len(self.photo.content) + len(self.mask_image.content)


class Stage(Enum):
    """What is being done."""

    QUEUED = "QUEUED"
    DECODING = "DECODING"
    PAINTING = "PAINTING"
    ENCODING = "ENCODING"


@dataclass(frozen=True)
class Step:
    """How far it is; 0: not known."""

    stage: Stage
    queue_position: int = 0
    step: str = ""
    steps_done: int = 0
    step_count: int = 0
    plan: str = ""


@dataclass(frozen=True)
class Preview:
    """The photo as it looks now, a small JPEG."""

    jpeg: bytes


@dataclass(frozen=True)
class Candidate:
    """One result."""

    data: bytes
    model: str
    strategy: str
    reason: str
    warnings: tuple[str, ...]
    pass_count: int
    elapsed_s: float
    seed: int
    methods: tuple[str, ...] = ()
    """What a model that chooses did, each once."""


@dataclass(frozen=True)
class Outcome:
    """All results of one photo, by seed."""

    candidates: tuple[Candidate, ...]


Tell: TypeAlias = Callable[[Step | Preview], None]
"""Told from the thread that works."""
