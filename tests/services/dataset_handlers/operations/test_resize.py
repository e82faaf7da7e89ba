"""Photos come out at the size that was asked for, and look the same whichever way they got there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_handlers.operations import Window, crop, resize, resize_and_crop, size_before_crop


def picture(height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    return cv2.resize(rng.integers(0, 256, (9, 12, 3)).astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)


sides = st.integers(1, 70)


@given(sides, sides, sides, sides, st.sampled_from(["stretch", "cover", "contain"]), st.booleans())
@settings(deadline=None)
def test_the_size_is_exact(height: int, width: int, new_height: int, new_width: int, mode: str, nearest: bool) -> None:
    for image in (np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)):
        resized = resize(image, (new_height, new_width), mode, nearest=nearest)
        assert resized.shape == (new_height, new_width, *image.shape[2:])


@given(st.integers(8, 60), st.integers(8, 60), st.floats(1, 5), st.floats(1, 5), st.data())
@settings(deadline=None)
def test_scaling_only_what_the_crop_shows_gives_the_same_picture(
    height: int, width: int, ratio_y: float, ratio_x: float, data: st.DataObject
) -> None:
    image = picture(round(height * ratio_y), round(width * ratio_x))
    crop_height, crop_width = data.draw(st.integers(4, height)), data.draw(st.integers(4, width))
    window = Window(
        data.draw(st.integers(0, height - crop_height)),
        data.draw(st.integers(0, width - crop_width)),
        crop_height,
        crop_width,
    )
    quick = resize_and_crop(image, (height, width), window)
    whole = crop(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), window)
    assert quick.shape == whole.shape
    # Half a pixel of the result is the most that the picture may move: less than the steepest slope of it.
    slope = max(np.abs(np.diff(whole.astype(int), axis=axis)).max(initial=0) for axis in (0, 1))
    assert np.abs(quick.astype(int) - whole).max() <= slope + 3


def test_enlarging_and_cropping_is_exactly_cropping_the_enlarged() -> None:
    image = picture(20, 30)
    window = Window(7, 9, 30, 40)
    enlarged = cv2.resize(image, (90, 60), interpolation=cv2.INTER_CUBIC)
    assert np.array_equal(resize_and_crop(image, (60, 90), window), crop(enlarged, window))


def test_covering_cuts_evenly_and_keeps_proportions() -> None:
    assert size_before_crop((100, 200), (50, 50), "cover") == (50, 100)
    marked = np.zeros((100, 200, 3), np.uint8)
    marked[:, 50:150] = 255
    assert (resize(marked, (50, 50), "cover") == 255).all()


def test_containing_shows_all_of_it_between_black_bars() -> None:
    white = np.full((100, 200, 3), 255, np.uint8)
    contained = resize(white, (50, 50), "contain")
    assert (contained[13:37] == 255).all()
    assert (contained[:12] == 0).all()
    assert (contained[38:] == 0).all()


def test_stretching_ignores_proportions() -> None:
    assert size_before_crop((100, 200), (50, 50), "stretch") == (50, 50)
    with pytest.raises(ValueError, match="no resize mode 'zoom'"):
        size_before_crop((1, 1), (1, 1), "zoom")


def test_shrinking_averages_and_nearest_invents_no_value() -> None:
    board = np.indices((64, 64)).sum(axis=0) % 2 * np.uint8(255)
    assert abs(int(resize(board.astype(np.uint8), (16, 16)).mean()) - 127) < 3
    labels = np.array([[3, 200], [7, 9]], np.uint8)
    for size in ((13, 17), (1, 1)):
        assert set(np.unique(resize(labels, size, nearest=True))) <= {3, 200, 7, 9}


@pytest.mark.parametrize("factor", [3, 4, 7])
def test_a_mask_stays_where_its_photo_is(factor: int) -> None:
    y, x = np.mgrid[: 40 * factor, : 30 * factor]
    inside = ((y - 17.3 * factor) ** 2 + (x - 14.1 * factor) ** 2 < (9.4 * factor) ** 2).astype(np.uint8) * 255
    shares, mask = resize(inside, [40, 30]).astype(float) / 255, resize(inside, [40, 30], nearest=True) > 0
    for grid in np.mgrid[:40, :30]:
        # Half a pixel of the source, where its middle lies between two.
        assert abs((grid * shares).sum() / shares.sum() - grid[mask].mean()) < 0.5 / factor + 0.03
