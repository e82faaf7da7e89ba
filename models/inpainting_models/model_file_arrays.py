"""Turns photos and masks into a model file's numbers, and its numbers back into photos."""

import numpy as np

from inpainting_models.model_file_description import ModelDescription
from inpainting_models.model_file_runtime import Array
from inpainting_models.painting import Mask, Photo


def to_inputs(
    description: ModelDescription, images: Photo, masks: Mask, parts_of_inputs: list[tuple[str, ...]]
) -> list[Array]:
    """One float32 array for each input: its parts joined along the channels, in the file's layout and numbers.

    images: float32 `(batch, height, width, 3)`, RGB in [0, 1]; masks: bool `(batch, height, width)`, True = hole.
    """
    pictures = description.image
    low, high = pictures.range
    image = np.clip(images, 0, 1) * np.float32(high - low) + np.float32(low)
    if pictures.channels == "bgr":
        image = image[..., ::-1]
    if pictures.hole is not None:
        image = np.where(masks[..., None], np.float32(pictures.hole), image)
    values = np.where(masks, np.float32(description.mask.hole), np.float32(description.mask.known))[..., None]
    parts = {
        "image": image,
        "mask": np.repeat(values, description.mask.channels, axis=-1),
        "ones": np.ones_like(values),
    }
    joined = [np.concatenate([parts[part] for part in names], axis=-1) for names in parts_of_inputs]
    if description.layout == "nchw":
        joined = [array.transpose(0, 3, 1, 2) for array in joined]
    return [np.ascontiguousarray(array, np.float32) for array in joined]


def to_dtype(array: Array, dtype: np.dtype[np.generic]) -> Array:
    """The array as the file takes it; whole numbers are rounded, not cut."""
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)  # type: ignore[type-var]
        return np.clip(np.rint(array), limits.min, limits.max).astype(dtype)
    if dtype == np.bool_:
        return array > 0.5
    return array.astype(dtype)


def to_images(description: ModelDescription, output: Array, images: Photo) -> Photo:
    """The painted photos, RGB in [0, 1], of a raw output.

    Raises:
        ValueError: the output is not pictures of the size of ``images``, is not finite, or its numbers cannot be of the
            described range; the message says what came and what to try.
    """
    raw = np.asarray(output, np.float32)
    pictures = raw.transpose(0, 2, 3, 1) if description.layout == "nchw" and raw.ndim == 4 else raw
    if pictures.shape != images.shape:
        hint = " (is its layout the other one?)" if raw.ndim == 4 and 3 in (raw.shape[1], raw.shape[3]) else ""
        raise ValueError(f"gave {raw.shape} for pictures of {images.shape[1]}x{images.shape[2]}{hint}")
    if not np.isfinite(pictures).all():
        raise ValueError("gave numbers that are not finite")
    _check_range(description.output.range, pictures, images)
    low, high = description.output.range
    if description.output.channels == "bgr":
        pictures = pictures[..., ::-1]
    painted: Photo = np.clip((pictures - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.ascontiguousarray(painted, np.float32)


def _check_range(described: tuple[float, float], pictures: Photo, images: Photo) -> None:
    low, high = sorted(described)
    span = high - low
    least, most = float(pictures.min()), float(pictures.max())
    said = f"where the description's output.range is {described[0]:g} to {described[1]:g}"
    if least < low - span or most > high + span:
        raise ValueError(f"gave numbers from {least:.4g} to {most:.4g}, {said}")
    # Bytes that come back as fractions would all be black, and nobody would know why.
    if span > 50 and most - low < 0.02 * span and float(images.mean()) > 0.05:
        raise ValueError(f"gave numbers up to {most:.4g} for pictures that are not black, {said}")
