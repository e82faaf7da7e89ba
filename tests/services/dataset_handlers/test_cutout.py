"""A foreground is cut out with its own colours, whichever way it was kept."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dataset_handlers.cutout import Cutout, read_cutout
from dataset_handlers.errors import BadRawRecord
from dataset_handlers.operations import encode_png

GREEN, RED = np.array([40, 200, 60]), np.array([220, 60, 40])


def matte(size: int = 120) -> np.ndarray:
    shape = np.zeros((size, size), np.uint8)
    cv2.circle(shape, (size // 2, size // 2), size // 4, 255, -1)
    return cv2.GaussianBlur(shape, (0, 0), size / 24)


@pytest.fixture
def red_on_green(tmp_path: Path) -> tuple[Path, Path]:
    alpha = matte()
    share = alpha[:, :, None] / 255
    picture, file = tmp_path / "a.png", tmp_path / "a_alpha.png"
    picture.write_bytes(encode_png(np.rint(share * RED + (1 - share) * GREEN).astype(np.uint8)))
    file.write_bytes(encode_png(alpha))
    return picture, file


def error_of(cutout: Cutout) -> float:
    band = (cutout.alpha > 0.1) & (cutout.alpha < 0.9)
    return float(np.abs(cutout.colours[band] * 255 - RED).mean())


def test_the_old_background_is_taken_out(red_on_green: tuple[Path, Path]) -> None:
    picture, alpha = red_on_green
    assert error_of(read_cutout(picture, alpha, colours="keep")) > 40
    assert error_of(read_cutout(picture, alpha)) < 4
    assert error_of(read_cutout(picture, alpha, at_most=(30, 30))) < 4


def test_a_photo_behind_alpha_of_its_own_is_noticed(red_on_green: tuple[Path, Path], tmp_path: Path) -> None:
    picture, _ = red_on_green
    image = cv2.imread(str(picture))[:, :, ::-1].copy()
    image[:15] = image[:15, ::-1] // 2
    photo = tmp_path / "photo.png"
    photo.write_bytes(encode_png(np.dstack([image, matte()])))
    assert error_of(read_cutout(photo, None)) < 6
    finished = tmp_path / "finished.png"
    clean = np.where(matte()[:, :, None] > 0, RED, 0).astype(np.uint8)
    finished.write_bytes(encode_png(np.dstack([clean, matte()])))
    kept = read_cutout(finished, None)
    assert np.allclose(kept.colours[kept.alpha > 0] * 255, RED, atol=0.01)
    small = read_cutout(finished, None, at_most=(12, 12))
    assert max(small.alpha.shape) <= 26
    # Black hides behind what is clear; none of it may come into the edges.
    assert np.allclose(small.colours[small.alpha > 0.01] * 255, RED, atol=0.5)


def test_it_is_no_larger_than_its_box(red_on_green: tuple[Path, Path]) -> None:
    cutout = read_cutout(*red_on_green)
    rows, columns = np.flatnonzero(matte().any(axis=1)), np.flatnonzero(matte().any(axis=0))
    assert cutout.alpha.shape == (rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)
    assert cutout.colours.shape == (*cutout.alpha.shape, 3)


@pytest.mark.parametrize("size", [(20, 20), (90, 70), (200, 200)])
def test_scaling_brings_no_foreign_colour_in(red_on_green: tuple[Path, Path], size: tuple[int, int]) -> None:
    cutout = read_cutout(*red_on_green)
    hidden = cutout._replace(colours=np.where(cutout.alpha[:, :, None] > 0, RED / 255, 0).astype(np.float32))
    scaled = hidden.scaled(*size)
    assert scaled.shape == (*size, 4)
    seen = scaled[:, :, 3] > 0.02
    assert np.allclose(scaled[seen][:, :3] / scaled[seen][:, 3:], RED / 255, atol=0.01)
    assert np.allclose(hidden.scaled_colours(scaled)[seen], RED / 255, atol=0.01)


@pytest.mark.parametrize(
    ("alpha", "said"),
    [
        (np.full((120, 120), 255, np.uint8), "white all over"),
        (np.zeros((120, 120), np.uint8), "there is no foreground"),
        (np.zeros((120, 90), np.uint8), "its alpha matte is 90x120 pixels, the picture 120x120"),
        (None, "it has no alpha matte; a_alpha.png in"),
    ],
)
def test_a_matte_that_is_none_is_a_bad_record(
    red_on_green: tuple[Path, Path], alpha: np.ndarray | None, said: str
) -> None:
    picture, file = red_on_green
    file.unlink() if alpha is None else file.write_bytes(encode_png(alpha))
    with pytest.raises(BadRawRecord, match=said):
        read_cutout(picture, file)


def test_a_picture_without_alpha_says_what_would_do(red_on_green: tuple[Path, Path]) -> None:
    with pytest.raises(BadRawRecord, match=r"has no alpha; a PNG with alpha, or a matte beside it as NAME_alpha\.png"):
        read_cutout(red_on_green[0], None)
