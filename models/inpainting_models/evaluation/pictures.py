"""Keeps pictures of some cases for people to look at: always the same cases, always the same crops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from inpainting_models.evaluation.randomness import digest_of
from inpainting_models.evaluation.run import Row
from inpainting_models.evaluation.suite import Case, Prepared

Picture = npt.NDArray[np.uint8]

LARGEST_PX = 720
"""A shown crop's longer side: larger holes show their middle, at one picture pixel for each of the photo's."""
HOLE_COLOUR = (255, 0, 255)


def shown_cases(cases: Sequence[Case], count: int) -> list[Case]:
    """Return the cases to show: one family after the other, within a family by digest."""
    families: dict[str, list[Case]] = {}
    for case in sorted(cases, key=lambda case: digest_of("show", case.name)):
        families.setdefault(case.cell.family, []).append(case)
    ranked = [(place, family, case) for family, own in families.items() for place, case in enumerate(own)]
    return [case for _, _, case in sorted(ranked, key=lambda entry: entry[:2])[:count]]


class Album:
    """A folder of pictures: each case's truth and hole once, and each method's result, all cut alike."""

    def __init__(self, folder: Path, cases: Sequence[Case]) -> None:
        self._folder = folder
        self._wanted = {case.name for case in cases}
        self.cases: list[str] = []
        self.results: dict[str, list[str]] = {}

    def see(self, prepared: Prepared, row: Row, picture: Picture) -> None:
        """Keep the picture if its case is wanted."""
        if row.case not in self._wanted:
            return
        window = shown_window(prepared.mask)
        if row.case not in self.results:
            hole = prepared.truth.copy()
            hole[prepared.mask] = HOLE_COLOUR
            self._write(self.path(row.case, "_truth"), prepared.truth[window])
            self._write(self.path(row.case, "_hole"), hole[window])
        stitched = np.where(prepared.mask[:, :, None], picture, prepared.truth)
        self._write(self.path(row.case, row.method), stitched[window])
        self._enter(row)

    def take_up(self, row: Row) -> bool:
        """Enter the picture that an earlier run kept for a row; False where one is wanted and not there."""
        if row.case not in self._wanted or row.error:
            return True
        if not self.path(row.case, row.method).is_file():
            return False
        self._enter(row)
        return True

    def path(self, case: str, method: str) -> Path:
        """Return where a picture lies; the truth is `_truth`, the hole `_hole`."""
        safe = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in method)
        return self._folder / case / f"{safe}.png"

    def _enter(self, row: Row) -> None:
        if row.case not in self.results:
            self.cases.append(row.case)
            self.results[row.case] = []
        self.results[row.case].append(row.method)

    def _write(self, path: Path, picture: Picture) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png(path, picture)


def shown_window(mask: npt.NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the crop to show: the hole and a quarter of its size around it, at most `LARGEST_PX` on a side.

    Where more would be needed, it is the part that has as much hole and as much known as can be.
    """
    bounds = []
    for axis in (0, 1):
        used = np.flatnonzero(mask.any(axis=1 - axis))
        low, high = int(used[0]), int(used[-1]) + 1
        around = max(24, (high - low) // 4)
        bounds.append((max(0, low - around), min(mask.shape[axis], high + around)))
    sides = [min(high - low, LARGEST_PX) for low, high in bounds]
    holes = cv2.integral(mask.astype(np.uint8))
    best, window = -1, (slice(0, 0), slice(0, 0))
    for top in _places(*bounds[0], sides[0]):
        for left in _places(*bounds[1], sides[1]):
            bottom, right = top + sides[0], left + sides[1]
            hole = int(holes[bottom, right] - holes[top, right] - holes[bottom, left] + holes[top, left])
            both = min(hole, sides[0] * sides[1] - hole)
            if both > best:
                best, window = both, (slice(top, bottom), slice(left, right))
    return window


def _places(low: int, high: int, side: int) -> list[int]:
    return sorted({*range(low, high - side + 1, max(1, LARGEST_PX // 8)), high - side})


def write_png(path: Path, picture: Picture) -> None:
    """Write RGB or grey without loss. Raises OSError."""
    ordered = picture if picture.ndim == 2 else picture[:, :, ::-1]
    done, data = cv2.imencode(".png", np.ascontiguousarray(ordered))
    if not done:
        raise OSError(f"could not encode {path}")
    path.write_bytes(data.tobytes())
