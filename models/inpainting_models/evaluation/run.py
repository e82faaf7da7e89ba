"""Runs methods over cases: paints, times, measures, one row for each."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from inpainting_models.evaluation.methods import Method
from inpainting_models.evaluation.metrics import content_of, measure
from inpainting_models.evaluation.peak_memory import peak_memory
from inpainting_models.evaluation.suite import Case, Prepared, prepare

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Row:
    """What one method did on one case."""

    case: str
    image: str
    image_sha256: str
    mask_sha256: str
    family: str
    area: str
    border: bool
    content: str
    height: int
    width: int
    hole_ratio: float
    method: str
    error: str = ""
    """Why there is no result; empty otherwise."""
    values: dict[str, float] = field(default_factory=dict)

    def value(self, name: str) -> float:
        """Return a measure, NaN where it could not be taken."""
        return self.values.get(name, math.nan)


def run(
    cases: Iterable[Case],
    methods: Sequence[Method],
    size: tuple[int, int] | None,
    see: Callable[[Prepared, Row, Picture], None] = lambda prepared, row, picture: None,
    ready: Callable[[str, str], bool] = lambda case, method: False,
) -> Iterator[Row]:
    """Yield the rows case by case, without those of which `ready` says, by case and method, that they are there.

    `see` gets each result's picture. A method that fails has a row that says why.
    """
    for case in cases:
        wanted = [method for method in methods if not ready(case.name, method.name)]
        if wanted:
            yield from run_case(prepare(case, size), wanted, see)


def run_case(
    prepared: Prepared, methods: Sequence[Method], see: Callable[[Prepared, Row, Picture], None]
) -> Iterator[Row]:
    """Yield one row for each method."""
    for method in methods:
        row, picture = _one(prepared, method)
        if picture is not None:
            see(prepared, row, picture)
        yield row


def measured(prepared: Prepared, method: str, picture: Picture, **more: float) -> Row:
    """Return the row of a picture that a method made for a case."""
    return row_of(prepared, method, values=measure(prepared.truth, picture, prepared.mask) | more)


def _one(prepared: Prepared, method: Method) -> tuple[Row, Picture | None]:
    # The hole's content never reaches the method.
    photo = np.where(prepared.mask[:, :, None], np.float32(0.5), prepared.truth.astype(np.float32) / 255)
    photo = photo.astype(np.float32)
    begin = time.perf_counter()
    try:
        with peak_memory() as peak:
            filled = method.fill(photo, prepared.mask.copy())
        seconds = time.perf_counter() - begin
        picture = np.rint(np.clip(filled.photo, 0, 1) * 255).astype(np.uint8)
        costs = {"passes": float(filled.passes), "seconds": seconds, "peak_mb": peak.added_mb}
        return measured(prepared, method.name, picture, **costs), picture
    except Exception as failure:
        # Whatever goes wrong inside a method is a result of the method, not of the suite.
        return row_of(prepared, method.name, error=f"{type(failure).__name__}: {failure}"), None


def row_of(prepared: Prepared, method: str, error: str = "", values: dict[str, float] | None = None) -> Row:
    """Return a row with the case's facts."""
    case = prepared.case
    return Row(
        case=case.name,
        image=case.image.name,
        image_sha256=case.image.sha256,
        mask_sha256=prepared.mask_sha256,
        family=case.cell.family,
        area=f"{case.cell.area[0]:g}-{case.cell.area[1]:g}",
        border=case.cell.border,
        content=case.image.content or content_of(prepared.truth, prepared.mask),
        height=prepared.truth.shape[0],
        width=prepared.truth.shape[1],
        hole_ratio=float(prepared.mask.mean()),
        method=method,
        error=error,
        values=values or {},
    )
