"""Says how sure the numbers are: bootstrap intervals over photos, and paired win rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inpainting_models.evaluation.metrics import Measure
from inpainting_models.evaluation.randomness import generator
from inpainting_models.evaluation.run import Row

RESAMPLES = 1000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean and the interval in which it lies with 95 % confidence."""

    mean: float
    low: float
    high: float
    cases: int
    """How many the mean is over."""


NOTHING = Estimate(math.nan, math.nan, math.nan, 0)


def estimate(measure: Measure, rows: Sequence[Row]) -> Estimate:
    """Return a measure's mean over the rows that have it; of ratios, whose best is 1, the geometric mean."""
    kept = [row for row in rows if math.isfinite(row.value(measure.name))]
    values = np.array([row.value(measure.name) for row in kept])
    photos = [row.image_sha256 for row in kept]
    if measure.best != "one":
        return interval(values, photos)
    log = interval(np.log(np.maximum(values, 1e-6)), photos)
    return Estimate(math.exp(log.mean), math.exp(log.low), math.exp(log.high), log.cases) if log.cases else NOTHING


def win_rate(measure: Measure, rows: Sequence[Row], others: Sequence[Row]) -> Estimate:
    """Return in which part of their common cases the rows are better than the others; ties count half.

    A method that failed on a case loses it. 0.5 = neither is better; an interval above 0.5 = better for sure.
    """
    theirs = {row.case: row for row in others}
    wins, photos = [], []
    for row in rows:
        other = theirs.get(row.case)
        if other is None:
            continue
        mine, yours = measure.loss(row.value(measure.name)), measure.loss(other.value(measure.name))
        mine, yours = (math.inf if one.error else loss for one, loss in ((row, mine), (other, yours)))
        if math.isnan(mine) or math.isnan(yours):
            continue
        tie = mine == yours or math.isclose(mine, yours, rel_tol=1e-9, abs_tol=1e-9)
        wins.append(0.5 if tie else float(mine < yours))
        photos.append(row.image_sha256)
    return interval(np.array(wins), photos)


def interval(values: npt.NDArray[np.float64], photos: Sequence[str]) -> Estimate:
    """Return the mean of the values with a percentile bootstrap interval.

    Whole photos are drawn: the cases on one photo are alike, and drawing cases would promise too much. Always the same
    for the same values.
    """
    if not len(values):
        return NOTHING
    names, group = np.unique(np.array(photos), return_inverse=True)
    sums = np.bincount(group, weights=values, minlength=len(names))
    counts = np.bincount(group, minlength=len(names))
    drawn = (generator("bootstrap", len(names)).random((RESAMPLES, len(names))) * len(names)).astype(int)
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Estimate(float(values.mean()), float(low), float(high), len(values))
