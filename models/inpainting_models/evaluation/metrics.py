"""Names every measure of the suite and which way it is better, and takes them all for one result."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from inpainting_models.evaluation import metrics_edges, metrics_pixels, metrics_rim, metrics_sharpness, metrics_texture

CONTEXT_PX = 64
"""What is kept around the hole before measuring: no measure looks farther."""


@dataclass(frozen=True)
class Measure:
    """What a column of the tables means."""

    name: str
    title: str
    unit: str
    best: Literal["high", "low", "one", "zero"]
    """The best value: as high or low as can be, 1 (compared by ratio), or 0 (compared by size)."""

    def loss(self, value: float) -> float:
        """Return what is smaller for a better value; NaN stays NaN."""
        if self.best == "high":
            return -value
        if self.best == "low":
            return value
        if self.best == "one":
            return abs(math.log(max(value, 1e-6)))
        return abs(value)


MEASURES = (
    Measure("psnr", "PSNR in the hole", "dB", "high"),
    Measure("ssim", "SSIM in the hole", "", "high"),
    Measure("l1", "L1 in the hole", "%", "low"),
    Measure("gradient_ratio", "Gradient ratio", "", "one"),
    Measure("fine_energy", "Fine energy", "", "one"),
    Measure("texture_distance", "Texture distance", "levels", "low"),
    Measure("edge_continuation", "Edges continued", "", "high"),
    Measure("colour_shift", "Colour shift at the rim", "levels", "low"),
    Measure("sharpness_step", "Sharpness step at the rim", "log2", "zero"),
    Measure("seam", "Seam", "", "one"),
    Measure("known_difference", "Known pixels changed by", "levels", "low"),
    Measure("passes", "Passes", "", "low"),
    Measure("seconds", "Time", "s", "low"),
    Measure("peak_mb", "Peak memory added", "MB", "low"),
)
BY_NAME = {measure.name: measure for measure in MEASURES}


def measure(
    truth: npt.NDArray[np.uint8], result: npt.NDArray[np.uint8], mask: npt.NDArray[np.bool_]
) -> dict[str, float]:
    """Return every measure of pictures for one hole, and its profiles as `error_0_2`, `sharpness_0_2`, ...

    `truth` and `result` are `(height, width, 3)` uint8 RGB. The result's known pixels count for `known_difference`
    alone: the others measure the result stitched into the truth.
    """
    if truth.shape != result.shape or truth.shape[:2] != mask.shape:
        raise ValueError(f"sizes differ: truth {truth.shape}, result {result.shape}, mask {mask.shape}")
    if not mask.any():
        raise ValueError("the mask is empty: there is nothing to measure")
    known_difference = metrics_pixels.known_difference(truth, result, mask)
    window = _window(mask)
    mask = mask[window]
    one = _in_range_of_one(truth[window])
    two = np.where(mask[:, :, None], _in_range_of_one(result[window]), one)
    values = {
        "psnr": metrics_pixels.hole_psnr(one, two, mask),
        "ssim": metrics_pixels.hole_ssim(one, two, mask),
        "l1": metrics_pixels.hole_l1(one, two, mask),
        "gradient_ratio": metrics_sharpness.gradient_ratio(one, two, mask),
        "fine_energy": metrics_sharpness.fine_energy(one, two, mask),
        "texture_distance": metrics_texture.texture_distance(one, two, mask),
        "edge_continuation": metrics_edges.edge_continuation(one, two, mask),
        "colour_shift": metrics_rim.colour_shift(one, two, mask),
        "sharpness_step": metrics_rim.sharpness_step(one, two, mask),
        "seam": metrics_rim.seam(one, two, mask),
        "known_difference": known_difference,
    }
    profiles = {
        "error": metrics_sharpness.error_by_distance(one, two, mask),
        "sharpness": metrics_sharpness.sharpness_by_distance(one, two, mask),
    }
    return values | {f"{name}_{ring}": value for name, rings in profiles.items() for ring, value in rings.items()}


def content_of(truth: npt.NDArray[np.uint8], mask: npt.NDArray[np.bool_]) -> str:
    """Return what the true hole shows, measured: smooth, texture, or structure (where straight edges cross the rim)."""
    window = _window(mask)
    photo = _in_range_of_one(truth[window])
    if metrics_sharpness.mean_gradient(photo, mask[window]) < 4 / 255:
        return "smooth"
    through = metrics_edges.edge_continuation(photo, photo, mask[window])
    return "texture" if math.isnan(through) else "structure"


def _in_range_of_one(picture: npt.NDArray[np.uint8]) -> metrics_pixels.Photo:
    return np.asarray(picture / np.float32(255), np.float32)


def _window(mask: npt.NDArray[np.bool_]) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return tuple(  # type: ignore[return-value]
        slice(max(0, int(used[0]) - CONTEXT_PX), int(used[-1]) + 1 + CONTEXT_PX) for used in (rows, columns)
    )
