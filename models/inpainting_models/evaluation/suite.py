"""Plans the suite: which photo gets which hole, the same for everybody and in any order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from inpainting_models.evaluation.hole_masks import FAMILIES, Mask, make_hole
from inpainting_models.evaluation.images import SuiteImage, read_rgb
from inpainting_models.evaluation.randomness import digest_of, generator

BINS = ((0.01, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4), (0.4, 0.5), (0.5, 0.6))
# Scratches over more than a fifth of a photo are no scratches.
SCRATCH_BINS = BINS[:2]


@dataclass(frozen=True)
class Cell:
    """One kind of hole."""

    family: str
    area: tuple[float, float]
    """The hole's part of the photo lies in `(area[0], area[1]]`."""
    border: bool

    @property
    def name(self) -> str:
        """For example `thin-0.01-0.1-inner`."""
        return f"{self.family}-{self.area[0]:g}-{self.area[1]:g}-{'border' if self.border else 'inner'}"


@dataclass(frozen=True)
class Case:
    """One photo with one hole."""

    image: SuiteImage
    cell: Cell
    variant: int
    """Counts the holes of one cell on one photo from 0."""

    @property
    def name(self) -> str:
        """Unique in the suite, and safe as a file's name."""
        return f"{self.cell.name}-{self.image.sha256[:10]}-{self.variant}"

    def mask(self, shape: Sequence[int]) -> Mask:
        """Return the hole for a photo of `shape`; it depends on nothing but the case and the shape."""
        seed = (self.cell.family, self.cell.name, self.image.sha256, self.variant)
        return make_hole(shape, self.cell.family, self.cell.area, self.cell.border, generator(*seed))


@dataclass(frozen=True)
class Prepared:
    """A case ready to be painted."""

    case: Case
    truth: npt.NDArray[np.uint8]
    """`(height, width, 3)` RGB."""
    mask: Mask

    @property
    def mask_sha256(self) -> str:
        """Digest of the shape and the bits, to check that the same hole was drawn elsewhere."""
        shape = f"{self.mask.shape[0]}x{self.mask.shape[1]}|".encode()
        return hashlib.sha256(shape + np.packbits(self.mask).tobytes()).hexdigest()


def cells(families: Iterable[str] = FAMILIES, bins: Sequence[tuple[float, float]] = BINS) -> list[Cell]:
    """Return the kinds of holes: each family in each bin, with and without border."""
    return [
        Cell(family, area, border)
        for family in families
        for area in bins
        if family != "scratch" or area in SCRATCH_BINS
        for border in (False, True)
    ]


def plan(images: Sequence[SuiteImage], kinds: Sequence[Cell], per_cell: int) -> list[Case]:
    """Return `per_cell` cases for each kind of hole, spread over the photos by digest.

    A photo's place in a cell depends on nothing but both: other photos in the list push it out or let it in, but its
    hole stays the same.
    """
    planned = []
    for cell in kinds:
        ranked = sorted(images, key=lambda image: digest_of("pick", cell.name, image.sha256))
        for place in range(per_cell):
            planned.append(Case(ranked[place % len(ranked)], cell, place // len(ranked)))
    return planned


def prepare(case: Case, size: tuple[int, int] | None) -> Prepared:
    """Return the case at `size` `(height, width)`, or at the photo's own where that is None or the photo is smaller.

    The photo is shrunk by areas until it just covers the size, then cropped around its centre; an upright photo takes
    the size transposed.
    """
    photo = read_rgb(case.image.path)
    if size is not None:
        photo = _fitted(photo, size)
    return Prepared(case, photo, case.mask(photo.shape[:2]))


def _fitted(photo: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    height, width = photo.shape[:2]
    wanted = size if (height <= width) == (size[0] <= size[1]) else (size[1], size[0])
    factor = max(wanted[0] / height, wanted[1] / width)
    if factor >= 1:
        return photo
    shrunk = (max(wanted[0], round(height * factor)), max(wanted[1], round(width * factor)))
    photo = np.asarray(cv2.resize(photo, (shrunk[1], shrunk[0]), interpolation=cv2.INTER_AREA), np.uint8)
    top, left = (shrunk[0] - wanted[0]) // 2, (shrunk[1] - wanted[1]) // 2
    return np.ascontiguousarray(photo[top : top + wanted[0], left : left + wanted[1]])
