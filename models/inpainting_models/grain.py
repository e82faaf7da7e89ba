"""Puts a photo's own grain on parts that were filled smoothly, so that they do not look like plastic.

The grain is a Gaussian texture with the very spectrum of a piece of the hole's surroundings: that piece's fine detail
convolved with white noise (Galerne, Gousseau and Morel 2011, "Random phase textures", asymptotic discrete spot noise).
"""

from __future__ import annotations

import cv2
import numpy as np

from inpainting_models.crops import near_holes
from inpainting_models.interruptible import interruptible
from inpainting_models.painting import Cancel, Mask, Photo, stop_if

FINE_SIGMA_PX = 2.0
"""What is finer than this counts as grain."""
WINDOW_PX = 32
CALM = 25.0
"""The percentile of energy that tells a place's grain and not its texture."""
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


def grain_sample(photo: Photo, mask: Mask, share: float = 0.5, *, cancel: Cancel | None = None) -> Photo | None:
    """Returns the fine detail of one window of the ring, zero-mean, or None where no window is wholly known.

    `share` picks it by energy: 0.5 is the median of the ring's windows, less is calmer.
    """
    ring = ring_around(mask)
    stop_if(cancel)
    detail = fine_detail(photo, ~mask)
    size = min(WINDOW_PX, *mask.shape)
    while size >= 6:
        stop_if(cancel)
        kernel = (size, size)
        # Both means are of the window that begins at each pixel; windows that stick out or touch a hole drop out.
        anchor = (0, 0)
        holes = cv2.boxFilter(mask.astype(np.float32), -1, kernel, anchor=anchor, borderType=cv2.BORDER_REPLICATE)
        ringed = cv2.boxFilter(ring.astype(np.float32), -1, kernel, anchor=anchor, borderType=cv2.BORDER_REPLICATE)
        stop_if(cancel)
        energy = cv2.boxFilter((detail**2).sum(axis=2), -1, kernel, anchor=anchor, borderType=cv2.BORDER_REPLICATE)
        fits = (holes < 1e-6) & (ringed > 0.5)
        fits[mask.shape[0] - size + 1 :] = False
        fits[:, mask.shape[1] - size + 1 :] = False
        places = np.argwhere(fits)
        stop_if(cancel)
        if len(places):
            energies = energy[fits]
            wanted = np.argsort(energies, kind="stable")[round(share * (len(energies) - 1))]
            top, left = places[wanted]
            place = slice(top, top + size), slice(left, left + size)
            sample: Photo = detail[place] - detail[place].mean(axis=(0, 1))
            # The blur took a part of the grain with it; what remains is made as rough as the photo is there.
            rough, wanted_rough = _roughness(sample), _roughness(photo[place])
            return sample * min(1.5, wanted_rough / rough) if rough > 0 else sample
        size //= 2
    return None


def _roughness(window: Photo) -> float:
    return float(np.sqrt(sum((np.diff(window, axis=axis) ** 2).mean() for axis in (0, 1))))


def grain_like(
    sample: Photo, shape: tuple[int, int], rng: np.random.Generator, *, cancel: Cancel | None = None
) -> Photo:
    """Returns grain of `shape` `(height, width)` with the sample's variance, spectrum and colour correlations."""
    # One noise for the three channels keeps their phases together, and with them the grain's colours.
    height, width, _ = sample.shape
    size = max(shape[0], height), max(shape[1], width)
    noise = np.fft.rfft2(rng.standard_normal(size, np.float32))
    # A convolution that wraps around: noise has no edges that could show.
    grain = []
    for channel in range(3):
        stop_if(cancel)
        grain.append(np.fft.irfft2(noise * np.fft.rfft2(sample[..., channel], size), size))
    result: Photo = (np.stack(grain, axis=2)[: shape[0], : shape[1]] / np.sqrt(height * width)).astype(np.float32)
    return result


def add_grain(
    photo: Photo,
    mask: Mask,
    source: Photo,
    rng: np.random.Generator,
    *,
    share: float = 0.5,
    cancel: Cancel | None = None,
) -> Photo:
    """Returns `photo` with grain like that of `source` around the hole, added in the hole and nowhere else."""
    near = near_holes(mask, RING_PX + WINDOW_PX)
    hole = np.ascontiguousarray(mask[near.slices])
    sample = grain_sample(source[near.slices], hole, share, cancel=cancel)
    if sample is None:
        return photo
    # A smooth fill has a little fine detail of its own near the rim; grain is independent of it, so energies add.
    result = photo.copy()
    grain = grain_like(sample, (near.height, near.width), rng, cancel=cancel)
    result[mask] = np.clip(result[mask] + grain[hole], 0, 1)
    return result


def match_grain(photo: Photo, mask: Mask, rng: np.random.Generator, *, cancel: Cancel | None = None) -> Photo:
    """Returns the photo with grain added in the hole as far as its calm parts have less than those around it.

    Copied parts bring their own; what came from a blown-out or blurred place does not.
    """
    near = near_holes(mask, RING_PX + WINDOW_PX)
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
    energy = cv2.boxFilter((detail**2).sum(axis=2), -1, (9, 9))
    wanted, present = float(np.percentile(energy[ring], CALM)), float(np.percentile(energy[mask], CALM))
    if present >= ENOUGH * wanted:
        return photo
    sample = grain_sample(photo, mask, CALM / 100, cancel=cancel)
    if sample is None:
        return photo
    missing = np.sqrt(wanted - present) / max(float(np.sqrt((sample**2).sum(axis=2).mean())), 1e-6)
    result = photo.copy()
    grain = grain_like(sample, (mask.shape[0], mask.shape[1]), rng, cancel=cancel) * min(1.0, missing)
    # Where there is enough, nothing is added.
    calm = (energy < wanted)[mask][:, None]
    result[mask] = np.clip(result[mask] + grain[mask] * calm, 0, 1)
    return result
