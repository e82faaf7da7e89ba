"""Makes one variation of a photo as the stock handlers' options say: turn, scale and crop, mirror, light, colour."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterable, List, NamedTuple, Optional, Sequence, Tuple

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
    resize_and_crop,
    rotate,
    size_before_crop,
)
from dataset_handlers.operations.crop import center_crop
from dataset_handlers.operations.resize import contain


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


class _Place(NamedTuple):
    """Where in a photo a variation lies; drawn once, it fits the photo's masks as well."""

    whole: Optional[Tuple[int, int]]
    """What the whole photo is scaled to."""
    mount: Optional[Sequence[int]]
    """The black rectangle in the middle of which it stands."""
    window: Optional[Window]
    """What is cut out then."""

    def cut(self, image: Image, nearest: bool = False) -> Image:
        if self.whole is None:
            return crop(image, self.window) if self.window else image
        if self.mount is not None:
            mounted = contain(image, self.mount, self.whole, nearest=nearest)
            return crop(mounted, self.window) if self.window else mounted
        assert self.window is not None
        return resize_and_crop(image, self.whole, self.window, nearest=nearest)


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
        return self.vary_with(path, variation, [])[0]

    def vary_with(
        self, path: Path, variation: Variation, masks: Iterable[Image], *, nearest: bool = True
    ) -> Tuple[Image, List[Image]]:
        """Returns one variation of the photo, and its masks turned, scaled, cut and mirrored as it is.

        ``masks``: uint8 ``(height, width)`` of the photo's own size; ``nearest`` invents no values in them.
        """
        photo = self._read(path)
        degrees = variation.rotation * self._rotation_degrees
        turned = rotate(photo, degrees) if degrees else photo
        try:
            place = self._place(turned.shape[:2], variation.crop)
        except ValueError as error:
            raise BadRawRecord(path, str(error)) from None
        image = place.cut(turned)
        image = flip(image) if self._flip and variation.flip else image
        if self._exposure_stops:
            image = exposure(image, variation.exposure * self._exposure_stops)
        if self._colour_push:
            image = colour_push(image, variation.colour * self._colour_push)
        varied = []
        for mask in masks:
            if not _same_picture(photo.shape, mask.shape):
                raise BadRawRecord(path, _unlike(photo.shape, mask.shape))
            mask = place.cut(rotate(mask, degrees, nearest=nearest) if degrees else mask, nearest)
            varied.append(flip(mask) if self._flip and variation.flip else mask)
        return image, varied

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

    def _place(self, photo_size: Sequence[int], rng: np.random.Generator) -> _Place:
        size = self._image_size
        if size is None:
            window = self._window(photo_size, rng) if self._crop_size else None
            return _Place(None, None, window)
        whole = size_before_crop(photo_size, size, self._resize_mode)
        window = self._window(size, rng)
        if self._resize_mode == "contain":
            return _Place(whole, size, window)
        frame = center_crop(whole, size)
        return _Place(whole, None, window._replace(top=frame.top + window.top, left=frame.left + window.left))

    def _window(self, size: Sequence[int], rng: np.random.Generator) -> Window:
        if self._crop_size is None:
            return Window(0, 0, int(size[0]), int(size[1]))
        place = random_centered_crop if self._centered else random_crop
        return place(size, self._crop_size, rng)


def _same_picture(photo: Sequence[int], mask: Sequence[int]) -> bool:
    # A large JPEG may have been decoded at a half, a quarter or an eighth.
    return any(all(-(-mask[axis] // factor) == photo[axis] for axis in (0, 1)) for factor in (1, 2, 4, 8))


def _unlike(photo: Sequence[int], mask: Sequence[int]) -> str:
    return f"its mask is {mask[1]}x{mask[0]} pixels, and the photo has another size (decoded: {photo[1]}x{photo[0]})"
