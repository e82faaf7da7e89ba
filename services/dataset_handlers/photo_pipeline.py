"""Makes one variation of a photo as the stock handlers' options say: turn, scale and crop, mirror, light, colour."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from dataset_handlers.errors import BadRawRecord
from dataset_handlers.image import Image
from dataset_handlers.operations import (
    Window,
    colour_push,
    crop,
    encode_jpeg,
    encode_png,
    exposure,
    flip,
    random_centered_crop,
    random_crop,
    read_image,
    resize,
    resize_and_crop,
    rotate,
    size_before_crop,
)
from dataset_handlers.operations.crop import center_crop


class Variation(NamedTuple):
    """What chance decides about one variation, drawn before anything is done: an option that is switched on or off
    changes no other decision."""

    crop: np.random.Generator
    flip: bool
    rotation: float
    exposure: float
    colour: float
    mask: np.random.Generator


def draw_variation(rng: np.random.Generator) -> Variation:
    """Draws every decision; rotation, exposure and colour are from -1 to 1, to be scaled by their options."""
    crop_seed, mask_seed = rng.integers(2**63, size=2).tolist()
    flip_draw, rotation, light, colour = rng.random(4).tolist()
    return Variation(
        crop=np.random.Generator(np.random.Philox(key=crop_seed)),
        flip=flip_draw < 0.5,
        rotation=2 * rotation - 1,
        exposure=2 * light - 1,
        colour=2 * colour - 1,
        mask=np.random.Generator(np.random.Philox(key=mask_seed)),
    )


class PhotoPipeline:
    """Reads photos and varies them by a handler's `photo_options`."""

    def __init__(self, options: Any) -> None:
        self._image_size: Optional[List[int]] = options.image_size
        self._resize_mode: str = options.resize_mode
        self._crop_size: Optional[List[int]] = options.crop_size
        self._centered: bool = options.random_crop_centered
        self._flip: bool = options.random_flip
        self._rotation_degrees: float = options.rotation_degrees
        self._exposure_stops: float = options.exposure_stops
        self._colour_push: float = options.colour_push
        self._png: bool = options.image_encoding == "png"
        self._jpeg_quality: int = options.jpeg_quality
        # Variations of a photo come one after the other: it is decoded once for all of them.
        self._last: Tuple[Optional[Path], Any] = (None, None)

    def vary(self, path: Path, variation: Variation) -> Image:
        """Returns one variation of the photo at ``path``, uint8 RGB; raises ``BadRawRecord``."""
        photo = self._read(path)
        if self._rotation_degrees:
            photo = rotate(photo, variation.rotation * self._rotation_degrees)
        try:
            image = self._scale_and_crop(photo, variation.crop)
        except ValueError as error:
            raise BadRawRecord(path, str(error)) from None
        if self._flip and variation.flip:
            image = flip(image)
        if self._exposure_stops:
            image = exposure(image, variation.exposure * self._exposure_stops)
        if self._colour_push:
            image = colour_push(image, variation.colour * self._colour_push)
        return image

    def encode(self, image: Image) -> bytes:
        """Returns ``image`` as the options want it stored."""
        return encode_png(image) if self._png else encode_jpeg(image, self._jpeg_quality)

    def _read(self, path: Path) -> Image:
        if self._last[0] != path:
            at_least = None
            # Turning first needs every pixel: what it cuts off would make the reduced photo too small.
            if self._image_size is not None and not self._rotation_degrees:
                # At twice the size the decoder's own filter cannot be seen any more behind the area's: 42 dB on real
                # photos, where the bare size gives 36.
                at_least = [2 * side for side in self._image_size]
            self._last = path, read_image(path, at_least=at_least)
        photo: Image = self._last[1]
        return photo

    def _scale_and_crop(self, photo: Image, rng: np.random.Generator) -> Image:
        size = self._image_size
        if size is None:
            return crop(photo, self._window(photo.shape[:2], rng)) if self._crop_size else photo
        if self._resize_mode == "contain":
            scaled = resize(photo, size, "contain")
            return crop(scaled, self._window(size, rng)) if self._crop_size else scaled
        whole = size_before_crop(photo.shape[:2], size, self._resize_mode)
        frame = center_crop(whole, size)
        window = self._window(size, rng)
        return resize_and_crop(
            photo, whole, Window(frame.top + window.top, frame.left + window.left, window.height, window.width)
        )

    def _window(self, size: Sequence[int], rng: np.random.Generator) -> Window:
        if self._crop_size is None:
            return Window(0, 0, int(size[0]), int(size[1]))
        place = random_centered_crop if self._centered else random_crop
        return place(size, self._crop_size, rng)
