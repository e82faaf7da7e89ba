"""Puts a photo's own grain on parts that were filled smoothly, so that they do not look like plastic.

The grain is a Gaussian texture with the spectrum of the hole's surroundings: white noise, filtered as their fine detail
is (Galerne, Gousseau and Morel 2011, "Random phase textures", asymptotic discrete spot noise). The spectrum is a mean
over several pieces. That of one has chance peaks, and in JPEG files those of the few waves that a quiet block keeps:
grain made of it looks woven.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from inpainting_models.crops import near_holes
from inpainting_models.grain_limits import with_grain
from inpainting_models.interruptible import interruptible
from inpainting_models.painting import Cancel, Mask, Photo, stop_if

FINE_SIGMA_PX = 2.0
"""What is finer than this counts as grain."""
WINDOW_SIGMAS = 16
"""How many times that a window is wide: 32 pixels."""
LEAST_WINDOW_PX = 6
SAMPLES = 24
"""So many windows tell the spectrum."""
SPREAD = 0.1
"""They are of this much more or less than the wanted rank of energy, as a share."""
ENOUGH_PLACES = 100_000
CALM = 25.0
"""The percentile of energy that tells a place's grain and not its texture."""
CALM_BLOCK = (9, 9)
ENOUGH = 0.6
RING_PX = 64
"""How far from the hole its surroundings reach."""


def ring_around(mask: Mask, width_px: int = RING_PX) -> Mask:
    """Returns the known pixels that are within `width_px` of a hole."""
    away_px = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3)
    ring: Mask = (away_px > 0) & (away_px <= width_px)
    return ring


def fine_detail(photo: Photo, known: Mask, sigma_px: float = FINE_SIGMA_PX) -> Photo:
    """Returns the photo minus a Gaussian blur of its known pixels only; zero in holes."""
    weight = cv2.GaussianBlur(known.astype(np.float32), (0, 0), sigma_px)
    blurred = cv2.GaussianBlur(photo * known[..., None], (0, 0), sigma_px) / np.maximum(weight, 1e-6)[..., None]
    result: Photo = (photo - blurred) * known[..., None]
    return result


def grain_samples(
    photo: Photo,
    mask: Mask,
    share: float = 0.5,
    sigma_px: float = FINE_SIGMA_PX,
    *,
    cancel: Cancel | None = None,
) -> NDArray[np.float32] | None:
    """Returns the fine detail of a few windows of the ring, `(count, side, side, 3)`, each zero-mean, or None.

    None is where no window is wholly known. `share` picks them by energy: 0.5 are those about the median of the ring's
    windows, less are calmer ones. What is finer than `sigma_px` counts as detail.
    """
    ring = ring_around(mask)
    stop_if(cancel)
    detail = fine_detail(photo, ~mask, sigma_px)
    energy = (detail**2).sum(axis=2)
    side = min(round(WINDOW_SIGMAS * sigma_px), *mask.shape)
    while side >= LEAST_WINDOW_PX:
        stop_if(cancel)
        places = _windows(mask, ring, side)
        if len(places):
            stop_if(cancel)
            energies = _window_means(energy, side)[tuple(places.T)]
            ranks = np.clip(np.linspace(share - SPREAD, share + SPREAD, SAMPLES), 0, 1) * (len(places) - 1)
            chosen = np.argsort(energies, kind="stable")[np.unique(np.rint(ranks).astype(int))]
            return np.stack([_sample(photo, detail, side, *places[index]) for index in chosen])
        side //= 2
    return None


def _windows(mask: Mask, ring: Mask, side: int) -> NDArray[np.intp]:
    """Returns the (top, left) of windows that are known and for the most part in the ring."""
    fits = (_window_means(mask.astype(np.float32), side) < 1e-6) & (_window_means(ring.astype(np.float32), side) > 0.5)
    fits[mask.shape[0] - side + 1 :] = False
    fits[:, mask.shape[1] - side + 1 :] = False
    places = np.argwhere(fits)
    return places[:: max(1, len(places) // ENOUGH_PLACES)]


def _window_means(values: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Returns the mean of the window that begins at each pixel."""
    means = cv2.boxFilter(values, -1, (side, side), anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    return cast("NDArray[np.float32]", means)


def _sample(photo: Photo, detail: Photo, side: int, top: int, left: int) -> Photo:
    place = slice(top, top + side), slice(left, left + side)
    sample: Photo = detail[place] - detail[place].mean(axis=(0, 1))
    # The blur took a part of the grain with it; what remains is made as rough as the photo is there.
    rough, wanted = _roughness(sample), _roughness(photo[place])
    return sample * np.float32(min(1.5, wanted / rough)) if rough > 0 else sample


def _roughness(window: Photo) -> float:
    return float(np.sqrt(sum((np.diff(window, axis=axis) ** 2).mean() for axis in (0, 1))))


def grain_like(
    samples: NDArray[np.float32], shape: tuple[int, int], rng: np.random.Generator, *, cancel: Cancel | None = None
) -> Photo:
    """Returns grain of `shape` `(height, width)` with the samples' mean variance, spectrum and colours."""
    _, height, width, _ = samples.shape
    size = max(shape[0], height), max(shape[1], width)
    pixels = samples.reshape(-1, 3)
    # Along these directions the colours vary independently: brightness is one, and mostly the finest.
    _, colours = np.linalg.eigh((pixels.T @ pixels).astype(np.float64))
    result = np.zeros((*shape, 3), np.float32)
    for colour in colours.T.astype(np.float32):
        stop_if(cancel)
        power = (np.abs(np.fft.rfft2(samples @ colour)) ** 2).mean(axis=0)
        kernel = np.fft.fftshift(np.fft.irfft2(np.sqrt(power), (height, width)))
        wide = np.zeros(size, np.float32)
        wide[:height, :width] = kernel / np.sqrt(height * width)
        stop_if(cancel)
        # A convolution that wraps around: noise has no edges that could show.
        spectrum = np.fft.rfft2(rng.standard_normal(size, np.float32)) * np.fft.rfft2(wide)
        stop_if(cancel)
        result += np.fft.irfft2(spectrum, size)[: shape[0], : shape[1], None].astype(np.float32) * colour
    return result


def add_grain(
    photo: Photo,
    mask: Mask,
    source: Photo,
    rng: np.random.Generator,
    *,
    share: float = 0.5,
    sigma_px: float = FINE_SIGMA_PX,
    cancel: Cancel | None = None,
) -> Photo:
    """Returns `photo` with grain like that of `source` around the hole, added in the hole and nowhere else."""
    near = near_holes(mask, RING_PX + round(WINDOW_SIGMAS * sigma_px))
    hole = np.ascontiguousarray(mask[near.slices])
    samples = grain_samples(source[near.slices], hole, share, sigma_px, cancel=cancel)
    if samples is None:
        return photo
    # A smooth fill has a little fine detail of its own near the rim; grain is independent of it, so energies add.
    result = photo.copy()
    grain = grain_like(samples, (near.height, near.width), rng, cancel=cancel)
    result[mask] = with_grain(photo[mask], grain[hole], photo[mask])
    return result


def match_grain(photo: Photo, mask: Mask, rng: np.random.Generator, *, cancel: Cancel | None = None) -> Photo:
    """Returns the photo with grain added in the hole as far as its calm parts have less than those around it.

    Copied parts bring their own; what came from a blown-out or blurred place does not.
    """
    near = near_holes(mask, RING_PX + round(WINDOW_SIGMAS * FINE_SIGMA_PX))
    part, hole = photo[near.slices], np.ascontiguousarray(mask[near.slices])
    matched = interruptible(lambda: _match_grain(part, hole, rng, cancel), cancel)
    result = photo.copy()
    result[near.slices] = matched
    return result


def _match_grain(photo: Photo, mask: Mask, rng: np.random.Generator, cancel: Cancel | None) -> Photo:
    ring = ring_around(mask)
    if not ring.any():
        return photo
    stop_if(cancel)
    detail = fine_detail(photo, np.ones_like(mask))
    stop_if(cancel)
    energy = cv2.boxFilter((detail**2).sum(axis=2), -1, CALM_BLOCK)
    wanted, present = float(np.percentile(energy[ring], CALM)), float(np.percentile(energy[mask], CALM))
    if present >= ENOUGH * wanted:
        return photo
    samples = grain_samples(photo, mask, CALM / 100, cancel=cancel)
    if samples is None:
        return photo
    missing = np.sqrt(wanted - present) / max(float(np.sqrt((samples**2).sum(axis=3).mean())), 1e-6)
    result = photo.copy()
    grain = grain_like(samples, (mask.shape[0], mask.shape[1]), rng, cancel=cancel) * min(1.0, missing)
    # Where there is enough, nothing is added.
    calm = (energy < wanted) & mask
    result[calm] = with_grain(photo[calm], grain[calm], cv2.blur(photo, CALM_BLOCK)[calm])
    return result
