"""What a painter is: something that is given photos with holes and returns them filled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Photo: TypeAlias = NDArray[np.float32]
"""float32 `(height, width, 3)`, RGB in [0, 1]; a batch of them is `(batch, height, width, 3)`."""

Mask: TypeAlias = NDArray[np.bool_]
"""bool `(height, width)`, True = hole; a batch of them is `(batch, height, width)`."""

Paint: TypeAlias = Callable[[Photo, Mask], Photo]
"""`paint(images, masks)` takes and returns batches; what it returns outside the holes is ignored by its callers."""

Progress: TypeAlias = Callable[[str, int, int], None]
"""`progress(stage, done, total)`; whatever it raises stops the work and reaches the caller."""

Cancel: TypeAlias = Callable[[], bool]
"""Asked often, from any thread; the work raises `Cancelled` soon (0.3 s) after it says True."""


class Cancelled(Exception):
    """The caller did not want the rest any more."""


def stop_if(cancel: Cancel | None) -> None:
    """Raises Cancelled if nobody wants the result any more."""
    if cancel and cancel():
        raise Cancelled


@dataclass(frozen=True)
class Painter:
    """A way to fill holes, and at which size it does that well."""

    name: str
    paint: Paint
    training_size: tuple[int, int] | None = None
    """`(height, width)` at which it was trained; None: any size is as good."""
    multiple: int = 1
    """Both sides of its inputs must be multiples of this; `at_multiple` pads."""
    description: str = ""


class NothingLeft(ValueError):
    """A mask covers all, perhaps only at the size at which a strategy paints."""


def check_photo_and_mask(photo: Photo, mask: Mask) -> None:
    """Raises ValueError where a photo and its mask do not fit, or leave nothing to paint from."""
    if photo.dtype != np.float32:
        raise ValueError(f"a photo is float32 (height, width, 3), not {photo.dtype} {photo.shape}")
    check_stored_photo(photo, mask)


def check_stored_photo(photo: NDArray[Any], mask: Mask) -> None:
    """As `check_photo_and_mask`, for what also takes photos as they are stored: uint8 or uint16."""
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype not in (np.float32, np.uint8, np.uint16):
        raise ValueError(f"a photo is float32 (height, width, 3), or uint8 or uint16, not {photo.dtype} {photo.shape}")
    if mask.dtype != np.bool_ or mask.shape != photo.shape[:2]:
        raise ValueError(
            f"the mask of a photo of {photo.shape[:2]} is bool of that shape, not {mask.dtype} {mask.shape}"
        )
    if mask.size and mask.all():
        raise NothingLeft("the mask covers the whole photo: nothing is left to paint from")


def stitch(photo: Photo, painted: Photo, mask: Mask) -> Photo:
    """Returns a new photo: `painted` (clipped to [0, 1]) in the hole, the photo's own pixels, bit by bit, elsewhere."""
    result = photo.copy()
    result[mask] = np.clip(painted[mask], 0, 1)
    return result


def paint_one(paint: Paint, photo: Photo, mask: Mask) -> Photo:
    """Paints a single photo and keeps its known pixels."""
    return stitch(photo, np.asarray(paint(photo[None], mask[None]), np.float32)[0], mask)


def each_photo(paint_photo: Callable[[Photo, Mask], Photo]) -> Paint:
    """Makes a `Paint` of a function that fills one photo; photos without a hole pass through."""

    def paint(images: Photo, masks: Mask) -> Photo:
        if len(images) != len(masks):
            raise ValueError(f"{len(images)} images but {len(masks)} masks")
        results = []
        for photo, mask in zip(images, masks, strict=True):
            check_photo_and_mask(photo, mask)
            results.append(paint_photo(photo, mask) if mask.any() else photo.copy())
        return np.stack(results)

    return paint


def at_multiple(paint: Paint, multiple: int) -> Paint:
    """Lets `paint` see sides that are multiples of `multiple`: pads at the bottom and right, and cuts off again."""
    if multiple == 1:
        return paint

    def padded(images: Photo, masks: Mask) -> Photo:
        height, width = masks.shape[1:]
        bottom, right = -height % multiple, -width % multiple
        if not bottom and not right:
            return paint(images, masks)
        # Repeated edge pixels count as known only where the edge itself is.
        grown = np.pad(images, ((0, 0), (0, bottom), (0, right), (0, 0)), mode="edge")
        return paint(grown, np.pad(masks, ((0, 0), (0, bottom), (0, right)), mode="edge"))[:, :height, :width]

    return padded
