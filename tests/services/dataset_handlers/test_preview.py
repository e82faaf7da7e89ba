"""A preview shows the photo and what was made of it, bad ones too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dataset_handlers.contact_sheet import CELL_PX, MAX_WIDTH_PX, Block, Cell, draw_sheet, overlaid, tint
from dataset_handlers.handler import DatasetHandler
from dataset_handlers.lettering import shortened, text_width
from dataset_handlers.planning import list_samples
from dataset_handlers.preview import write_preview
from dataset_handlers.sample import Sample
from dataset_handlers.stock_images import ImagesHandler
from dataset_handlers.stock_inpainting import InpaintingHandler


def sheet_of(handler: DatasetHandler, tmp_path: Path, count: int) -> np.ndarray:
    output = tmp_path / "sheet.png"
    assert write_preview(handler, "stock/x", list_samples(handler), count, output) == count
    return cv2.imread(str(output))


@pytest.mark.parametrize("variations", [1, 3, 50])
def test_a_sheet_is_never_too_wide(photos: Path, tmp_path: Path, variations: int) -> None:
    sheet = sheet_of(InpaintingHandler({"image_size": 32, "variations_per_sample": variations}, photos), tmp_path, 5)
    assert CELL_PX * 3 < sheet.shape[1] <= MAX_WIDTH_PX
    assert sheet.std() > 20


def test_the_same_preview_shows_the_same_pictures(photos: Path, tmp_path: Path) -> None:
    handler = InpaintingHandler({"image_size": 32}, photos)
    assert np.array_equal(sheet_of(handler, tmp_path, 4), sheet_of(handler, tmp_path, 4))


def test_a_bad_photo_is_shown_as_such(own_photos: Path, tmp_path: Path) -> None:
    for photo in own_photos.rglob("*.*"):
        photo.write_bytes(b"rubbish")
    sheet = sheet_of(ImagesHandler({}, own_photos), tmp_path, 3)
    assert sheet.shape[0] > CELL_PX


def test_a_handler_without_photos_has_a_sheet_too(photos: Path, tmp_path: Path) -> None:
    class Numbers(DatasetHandler):
        def samples(self) -> Any:
            return [Sample(f"number {number}") for number in range(30)]

        def examples(self, sample: Sample, rng: Any) -> Any:
            yield {
                "value": 1.5,
                "grid": np.full((4, 6), 200, np.uint8),
                "vector": np.zeros(3),
                "note": "long words " * 40,
            }

    assert sheet_of(Numbers({}, photos), tmp_path, 7).shape[1] <= MAX_WIDTH_PX


def test_an_empty_sheet_can_be_drawn() -> None:
    assert draw_sheet("nothing", [], []).shape[1] >= 640


def test_pictures_keep_their_proportions() -> None:
    wide = np.full((50, 200, 3), 255, np.uint8)
    sheet = draw_sheet("", [], [Block([Cell("raw", wide)], [])])
    white = (sheet == 255).all(axis=2)
    assert white.any(axis=1).sum() == CELL_PX // 4
    assert white.any(axis=0).sum() >= CELL_PX


def test_a_tint_changes_the_hole_and_its_rim_only() -> None:
    image = np.full((CELL_PX, CELL_PX, 3), 100, np.uint8)
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[50:90, 60:120] = 255
    changed = (tint(image, mask) != image).any(axis=2)
    assert changed[mask > 0].all()
    assert not changed[:48].any()
    assert (image == 100).all()


def test_numbers_have_colours_and_shades_stay_as_they_are() -> None:
    image = np.full((40, 60, 3), 100, np.uint8)
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[5:15, 5:15], mask[20:30, 20:40] = 1, 2
    shown = overlaid(image, mask)
    assert (shown[mask == 0] == 100).mean() > 0.9
    inside = [shown[10, 10], shown[25, 30]]
    assert all((colour != 100).any() for colour in inside)
    assert (inside[0] != inside[1]).any()
    trimap = np.where(mask == 1, 255, np.where(mask == 2, 128, 0)).astype(np.uint8)
    assert overlaid(image, trimap) is trimap
    assert np.array_equal(overlaid(image, mask // 2 * 255), tint(image, mask // 2 * 255))


def test_text_is_shortened_to_fit() -> None:
    path = "a/very/long/path/of/folders/to/one/photo.jpg"
    for keep_end in (True, False):
        short = shortened(path, 14, 120, keep_end)
        assert text_width(short, 14) <= 120
        assert short.endswith("photo.jpg") if keep_end else short.startswith("a/very")
    assert shortened("short", 14, 120) == "short"


def test_an_old_opencv_draws_a_sheet_too(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataset_handlers.lettering._FACE", None)
    assert sheet_of(InpaintingHandler({"image_size": 32}, photos), tmp_path, 2).std() > 20
