"""Removes what is marked in a photo by each strategy, as a user would type it, and draws one sheet of all results."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from default_photo import MarkedPhoto
from PIL import Image, ImageOps

from darkroom_client.inpainting_marks import read_box, read_stroke
from inpainting.masks import box_mask, stroke_mask, union
from inpainting_models.painting import Mask, Photo
from inpainting_models.sheets import Tile, crop_for_sheet, drawn, mask_picture

DARKROOM = (sys.executable, "-m", "darkroom_client")
# Model and strategy: what the service would choose, each strategy with the same painter, then simpler painters.
RUNS = (
    ("auto", "auto"),
    ("patchmatch", "native"),
    ("patchmatch", "detail"),
    ("patchmatch", "baseline"),
    ("patchmatch", "shrinking_mask"),
    ("patchmatch", "two_step"),
    ("patchmatch", "combined"),
    ("ns-grain", "native"),
    ("telea", "native"),
)
COLUMNS = 3


def retouch(marked_photo: MarkedPhoto, output: Path) -> int:
    """Write a result of each run and ``sheet.png`` to ``output``; the exit code is the first that is not 0."""
    output.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(marked_photo.path, output / f"before{marked_photo.path.suffix}")
    results = {}
    for model, strategy in RUNS:
        path = output / f"{model}-{strategy}{marked_photo.path.suffix}"
        command = ["inpaint", str(marked_photo.path), "--box", marked_photo.box]
        for stroke in marked_photo.strokes:
            command += ["--stroke", stroke]
        command += ["--model", model, "--strategy", strategy, "-o", str(path), "--force"]
        print(f"$ darkroom {shlex.join(command)}", flush=True)
        # Progress comes on standard error, which stays this terminal's.
        ran = subprocess.run([*DARKROOM, *command, "--json"], stdout=subprocess.PIPE, text=True, check=False)
        if ran.returncode:
            return ran.returncode
        facts = json.loads(ran.stdout)["candidates"][0]
        results[path] = caption(facts)
        print(f"  {results[path]}; {facts['reason']}")
        for warning in facts["warnings"]:
            print(f"  warning: {warning}")
    sheet(marked_photo, results).save(output / "sheet.png")
    return 0


def caption(facts: dict[str, Any]) -> str:
    """Return how a result was made: model and strategy or what `auto` chose, passes, the service's seconds."""
    passes = f"{facts['pass_count']} {'pass' if facts['pass_count'] == 1 else 'passes'}"
    return f"{facts['how']}, {passes}, {facts['elapsed']:.1f} s"


def sheet(marked_photo: MarkedPhoto, results: dict[Path, str]) -> Image.Image:
    """Return the whole photo, its mask and its part around the box, then that part of each result with its caption."""
    photo = read(marked_photo.path)
    box, mask = masks(marked_photo, photo)
    part = crop_for_sheet(photo, box)
    height, width = mask.shape
    tiles = [
        Tile(f"before, {width}x{height}", photo),
        Tile(f"mask, {100 * mask.mean():.2f} % of the photo", mask_picture(mask)),
        Tile("before, around the box", photo[part]),
        *(Tile(text, read(path)[part]) for path, text in results.items()),
    ]
    return Image.fromarray(drawn([tiles[start : start + COLUMNS] for start in range(0, len(tiles), COLUMNS)]))


def masks(marked_photo: MarkedPhoto, photo: Photo) -> tuple[Mask, Mask]:
    """Return the box alone, and all that is marked."""
    shape = photo.shape[:2]
    box = box_mask(shape, read_box(marked_photo.box))
    strokes = [read_stroke(text) for text in marked_photo.strokes]
    return box, union([box, *(stroke_mask(shape, stroke.points, stroke.width_px) for stroke in strokes)])


def read(path: Path) -> Photo:
    """Return a photo upright, float32 `(height, width, 3)` in [0, 1]."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"), np.float32) / np.float32(255)
