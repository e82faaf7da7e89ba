"""What a caller sees of an inpainting service: marks, results, models, jobs; frozen values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

Box = tuple[int, int, int, int]
"""x, y, width, height, in pixels of the upright photo."""
Point = tuple[float, float]
"""x, y."""


@dataclass(frozen=True)
class Stroke:
    """A stroke of a round brush."""

    points: Sequence[Point]
    width_px: float


@dataclass(frozen=True)
class Marks:
    """What is to go, beside the mask's image."""

    boxes: Sequence[Box] = ()
    polygons: Sequence[Sequence[Point]] = ()
    strokes: Sequence[Stroke] = ()
    grow_px: int = 0
    feather_px: int = 0


@dataclass(frozen=True)
class InpaintProgress:
    """How far a photo is."""

    stage: str
    """QUEUED, DECODING, PAINTING, ENCODING; UPLOADING and WAITING are the client's own."""
    step: str = ""
    steps_done: int = 0
    step_count: int = 0
    queue_position: int = 0
    plan: str = ""

    def __str__(self) -> str:
        words = {"QUEUED": f"{self.queue_position} before it" if self.queue_position else "next"}.get(self.stage)
        detail = words or self.step
        return f"{self.stage.lower()}{': ' + detail if detail else ''}"


@dataclass(frozen=True)
class Candidate:
    """One result: the photo's file, and how it was made."""

    content: bytes
    model: str
    strategy: str
    reason: str
    warnings: tuple[str, ...]
    pass_count: int
    elapsed: timedelta
    seed: int
    methods: tuple[str, ...] = ()
    """What a model that chooses did, each once: `detail`, `flat`, `ns`."""

    @property
    def how(self) -> str:
        """How it was filled, for a caption: `auto: detail`, or `patchmatch, native`; empty where nothing was."""
        return (
            f"{self.model}: {', '.join(self.methods)}"
            if self.methods
            else ", ".join(filter(None, (self.model, self.strategy)))
        )

    def pixels(self) -> np.ndarray[Any, Any]:
        """Return the photo, uint8 or uint16 `(height, width, channels)`, RGB. Needs OpenCV or Pillow."""
        from darkroom_client.inpainting_photo import decode_photo

        return decode_photo(self.content)


@dataclass(frozen=True)
class InpaintModel:
    """A model of the service."""

    name: str
    description: str
    default: bool
    training_size: tuple[int, int] | None
    """Height and width at which it was trained; None: any size is as good."""
    strategies: tuple[str, ...]
    ready: bool
    seeded: bool
    added: bool


@dataclass(frozen=True)
class BatchJob:
    """A job over a prefix of the service's store, as it stands."""

    name: str
    state: str
    """RUNNING, DONE or CANCELLED."""
    photo_count: int
    done_count: int
    failed_count: int
    failures: tuple[str, ...]
    photos_per_minute: float
    eta: timedelta | None
    waiting_for: str
