"""What a batch job is: all photos below a prefix, filled in one way; plain values and how they are written down."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from inpainting.task import Options, Shapes, Source, Task

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"})
SHOWN_FAILURES = 20


class JobState(StrEnum):
    """Where a job stands."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True)
class JobSpec:
    """What a job is to do; equal specs are one job."""

    photo_prefix: str
    output_prefix: str
    mask_prefix: str = ""
    """Empty: one mask for all, the next two."""
    mask_image: Source = field(default_factory=Source)
    shapes: Shapes = field(default_factory=Shapes)
    options: Options = field(default_factory=Options)

    @property
    def id(self) -> str:
        """The digest of all that the job's results depend on."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return the spec as plain data."""
        plain = asdict(self)
        plain["mask_image"]["content"] = base64.b64encode(self.mask_image.content).decode()
        return plain

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> JobSpec:
        """Return the spec that `to_json` made plain."""
        image, shapes = plain["mask_image"], plain["shapes"]
        return cls(
            plain["photo_prefix"],
            plain["output_prefix"],
            plain["mask_prefix"],
            Source(base64.b64decode(image["content"]), image["kept"], image["object"]),
            Shapes(
                tuple(tuple(box) for box in shapes["boxes"]),
                tuple(tuple(tuple(point) for point in points) for points in shapes["polygons"]),
                tuple((tuple(tuple(point) for point in points), width) for points, width in shapes["strokes"]),
                shapes["grow_px"],
                shapes["feather_px"],
            ),
            Options(**plain["options"]),
        )

    def output_name(self, photo: str) -> str:
        """Return the name of a photo's result."""
        return self.output_prefix + photo.removeprefix(self.photo_prefix)

    def task(self, photo: str, masks: dict[str, str]) -> Task | None:
        """Return what one photo is to go through, or None where its mask is missing; see `mask_names`."""
        image = self.mask_image
        if self.mask_prefix:
            found = masks.get(stem(photo, self.photo_prefix))
            if found is None:
                return None
            image = Source(object=found)
        return Task(Source(object=photo), image, self.shapes, self.options)


@dataclass(frozen=True)
class JobView:
    """A job as it stands."""

    id: str
    state: JobState = JobState.RUNNING
    photo_count: int = 0
    done_count: int = 0
    failed: tuple[str, ...] = ()
    """``name: reason`` of each photo that failed."""
    photos_per_minute: float = 0.0
    eta_s: float | None = None
    waiting_for: str = ""

    @property
    def final(self) -> bool:
        """Whether nothing changes any more."""
        return self.state is not JobState.RUNNING

    def in_state(self, state: JobState) -> JobView:
        """Return the job in another state."""
        return replace(self, state=state, eta_s=None, waiting_for="")


def is_photo(name: str) -> bool:
    """Say whether an object's name is a photo's."""
    return PurePosixPath(name).suffix.lower() in PHOTO_SUFFIXES


def stem(name: str, prefix: str) -> str:
    """Return what a photo and its mask have in common: the name below the prefix, without its ending."""
    return str(PurePosixPath(name.removeprefix(prefix)).with_suffix(""))
