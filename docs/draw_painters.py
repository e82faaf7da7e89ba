"""Draws the pictures of docs/painters.md from scikit-image's freely licensed photos: `python docs/draw_painters.py`.

coffee: CC0, Rachel Michetti. brick, gravel: CC0, CC0Textures. rocket: public domain, SpaceX.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data, draw

from inpainting_models.auto import plan_auto
from inpainting_models.baseline import baseline
from inpainting_models.combined import combined
from inpainting_models.detail import detail
from inpainting_models.painters import NAMES, painter
from inpainting_models.painting import Mask, Photo
from inpainting_models.patchmatch import warm_up
from inpainting_models.sheets import Sheet, crop_for_sheet, models_sheet, shrinking_mask_sheet, two_step_sheet
from inpainting_models.shrinking_mask import shrinking_mask
from inpainting_models.two_step import two_step

IMAGES = Path(__file__).parent / "images"
TRAINING_SIZE = (128, 192)


def main() -> None:
    """Writes every picture."""
    warm_up()
    IMAGES.mkdir(exist_ok=True)
    for name, (photo, mask) in {"coffee": spoon(), "brick": bricks(), "rocket": rocket()}.items():
        part = crop_for_sheet(photo, mask, 60)
        results = {}
        for painter_name in NAMES:
            # Of the processor: on a busy machine a clock would tell of others.
            start_s = time.process_time()
            painted = painter(painter_name).paint(photo[None], mask[None])[0]
            caption = f"{painter_name}, {time.process_time() - start_s:.2f} s CPU"
            if painter_name == "auto":
                methods = dict.fromkeys(choice.method for choice in plan_auto(photo, mask))
                caption = caption.replace("auto", f"auto: {', '.join(methods)}")
            results[caption] = painted[part]
        save(f"painters-{name}", models_sheet(photo[part], mask[part], results, columns=4))
    photo, mask = spoon()
    paint = painter("telea").paint
    save("shrinking-mask", shrinking_mask_sheet(paint, photo, mask, TRAINING_SIZE))
    save("two-step", two_step_sheet(paint, photo, mask, TRAINING_SIZE))
    paint = painter("patchmatch").paint
    part = crop_for_sheet(photo, mask, 60)
    strategies = {
        "baseline": baseline(paint, photo, mask, TRAINING_SIZE),
        "shrinking mask": shrinking_mask(paint, photo, mask, TRAINING_SIZE),
        "two-step": two_step(paint, photo, mask, TRAINING_SIZE),
        "combined": combined(paint, photo, mask, TRAINING_SIZE),
        "detail": detail(paint, photo, mask, TRAINING_SIZE),
        "detail, no painter": detail(None, photo, mask),
    }
    results = {f"patchmatch: {name}": result[part] for name, result in strategies.items()}
    save("strategies", models_sheet(photo[part], mask[part], results, columns=4))


def spoon() -> tuple[Photo, Mask]:
    """Returns the coffee with its spoon marked: a table, a saucer and a cup meet behind it."""
    photo = data.coffee().astype(np.float32) / 255
    rows = [62, 70, 110, 190, 238, 262, 300, 330, 332, 300, 255, 232, 200, 110]
    columns = [398, 428, 420, 408, 400, 412, 412, 385, 345, 322, 318, 345, 372, 392]
    return photo, draw.polygon2mask(photo.shape[:2], np.column_stack([rows, columns]))


def bricks() -> tuple[Photo, Mask]:
    """Returns a wall with a hole across several bricks."""
    photo = np.repeat((data.brick().astype(np.float32) / 255)[..., None], 3, axis=2)
    mask = np.zeros(photo.shape[:2], np.bool_)
    mask[190:300, 180:330] = True
    return photo, mask


def rocket() -> tuple[Photo, Mask]:
    """Returns a rocket with a tower beside it marked."""
    photo = data.rocket().astype(np.float32) / 255
    mask = np.zeros(photo.shape[:2], np.bool_)
    mask[118:345, 172:210] = True
    return photo, mask


def save(name: str, sheet: Sheet) -> None:
    """Writes a sheet as a small file."""
    Image.fromarray(sheet).quantize(192, dither=Image.Dither.NONE).save(IMAGES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
