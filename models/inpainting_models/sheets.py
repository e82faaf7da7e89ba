"""Draws what painters and strategies do, on one sheet each: models side by side, each pass of a shrinking mask, both
steps of the two-step method with their masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from inpainting_models.frame import Frame
from inpainting_models.painting import Mask, Paint, Photo
from inpainting_models.resolution import Size, scaled
from inpainting_models.shrinking_mask import DEFAULT_PASSES, shrinking_mask
from inpainting_models.two_step import second_step_masks, two_step

Sheet = NDArray[np.uint8]
"""`(height, width, 3)`, RGB."""

TILE_WIDTH_PX = 420
CAPTION_PX = 30
MARGIN_PX = 8
HOLE_COLOUR = (1.0, 0.15, 0.35)


@dataclass(frozen=True)
class Seen:
    """One call of a painter: what it was given, and what it made of it."""

    image: Photo
    mask: Mask
    painted: Photo


@dataclass(frozen=True)
class Tile:
    """A picture with a line under it."""

    caption: str
    picture: Photo


def recording(paint: Paint) -> tuple[Paint, list[Seen]]:
    """Returns a painter that does what `paint` does, and the list that it writes its calls to."""
    calls: list[Seen] = []

    def recorded(images: Photo, masks: Mask) -> Photo:
        painted = paint(images, masks)
        calls.extend(Seen(*call) for call in zip(images.copy(), masks.copy(), painted.copy(), strict=True))
        return painted

    return recorded, calls


def models_sheet(photo: Photo, mask: Mask, results: Mapping[str, Photo], *, columns: int = 3) -> Sheet:
    """Returns the photo, its hole, and each result under its caption (model, passes, seconds: whatever it says)."""
    tiles = [Tile("photo", photo), Tile(f"hole, {100 * mask.mean():.1f} % of the photo", marked(photo, mask))]
    tiles += [Tile(caption, result) for caption, result in results.items()]
    return drawn([tiles[start : start + columns] for start in range(0, len(tiles), columns)])


def shrinking_mask_sheet(
    paint: Paint, photo: Photo, mask: Mask, training_size: Size | None = None, *, passes: int = DEFAULT_PASSES
) -> Sheet:
    """Returns a row for each pass: what is still a hole, what the painter saw, and what is known after it."""
    recorded, calls = recording(paint)
    result = shrinking_mask(recorded, photo, mask, training_size, passes=passes)
    rows = []
    for number, call in enumerate(calls, 1):
        after = calls[number].image if number < len(calls) else np.where(call.mask[..., None], call.painted, call.image)
        left = calls[number].mask if number < len(calls) else np.zeros_like(call.mask)
        rows.append(
            [
                Tile(f"pass {number} of {len(calls)}: mask", mask_picture(call.mask)),
                Tile("what it sees", marked(call.image, call.mask)),
                Tile("what is kept", marked(after, left)),
            ]
        )
    rows.append([Tile("photo", photo), Tile("hole", marked(photo, mask)), Tile("shrinking mask, native size", result)])
    return drawn(rows)


def two_step_sheet(
    paint: Paint, photo: Photo, mask: Mask, training_size: Size | None = None, *, rim_px: int | None = None
) -> Sheet:
    """Returns the three masks of step 2, then both steps with what the painter saw, then the result."""
    frame = Frame.of(photo, mask, training_size)
    recorded, calls = recording(paint)
    result = two_step(recorded, photo, mask, training_size, rim_px=rim_px)
    rows = []
    if frame.has_second_step:
        whole, core, rim = second_step_masks(frame, rim_px)
        names = ("the whole hole", "its eroded core", "rims and small parts: step 2")
        rows.append([Tile(name, mask_picture(part)) for name, part in zip(names, (whole, core, rim), strict=True)])
    for number, call in enumerate(calls, 1):
        size = f"{call.mask.shape[0]}x{call.mask.shape[1]}"
        rows.append(
            [
                Tile(f"step {number} at {size}: mask", mask_picture(call.mask)),
                Tile("what it sees", marked(call.image, call.mask)),
                Tile("what it paints", np.where(call.mask[..., None], call.painted, call.image)),
            ]
        )
    rows.append([Tile("photo", photo), Tile("hole", marked(photo, mask)), Tile("two-step, native size", result)])
    return drawn(rows)


def marked(photo: Photo, mask: Mask) -> Photo:
    """Returns the photo with its hole in a colour that no photo has much of."""
    result = photo.copy()
    result[mask] = 0.3 * result[mask] + 0.7 * np.array(HOLE_COLOUR, np.float32)
    return result


def mask_picture(mask: Mask) -> Photo:
    """Returns the mask as a picture: white is a hole."""
    return np.repeat(mask[..., None].astype(np.float32), 3, axis=2)


def drawn(rows: list[list[Tile]], *, tile_width_px: int = TILE_WIDTH_PX) -> Sheet:
    """Returns the tiles row by row, all equally wide, each with its caption below."""
    heights = [max(_height(tile, tile_width_px) for tile in row) for row in rows]
    columns = max(len(row) for row in rows)
    width = MARGIN_PX + columns * (tile_width_px + MARGIN_PX)
    sheet = Image.new("RGB", (width, MARGIN_PX + sum(height + CAPTION_PX + MARGIN_PX for height in heights)), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=16)
    top = MARGIN_PX
    for row, height in zip(rows, heights, strict=True):
        left = MARGIN_PX
        for tile in row:
            picture = scaled(tile.picture, (_height(tile, tile_width_px), tile_width_px))
            sheet.paste(Image.fromarray(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)), (left, top))
            draw.text((left, top + height + 5), tile.caption, "black", font)
            left += tile_width_px + MARGIN_PX
        top += height + CAPTION_PX + MARGIN_PX
    return np.asarray(sheet)


def _height(tile: Tile, width_px: int) -> int:
    height: int = round(tile.picture.shape[0] * width_px / tile.picture.shape[1])
    return max(1, height)


def crop_for_sheet(photo: Photo, mask: Mask, least_px: int = 96) -> tuple[slice, slice]:
    """Returns the part of a photo worth showing: its holes with as much around them again."""
    rows, columns = np.nonzero(mask)
    reach = max(least_px, int(np.ptp(rows)) // 2, int(np.ptp(columns)) // 2)
    return (
        slice(max(0, int(rows.min()) - reach), min(photo.shape[0], int(rows.max()) + reach + 1)),
        slice(max(0, int(columns.min()) - reach), min(photo.shape[1], int(columns.max()) + reach + 1)),
    )
