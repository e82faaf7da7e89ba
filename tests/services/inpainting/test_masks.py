"""Masks mark what was meant, to the pixel."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from inpainting.masks import bounds, box_mask, feather, grow, image_mask, polygon_mask, stroke_mask, union
from inpainting.photo import BadPhoto, PhotoTooLarge
from service_kit.errors import InvalidArgument

SHAPE = (40, 60)


def png(values: np.ndarray, mode: str | None = None, **options: object) -> bytes:
    out = io.BytesIO()
    image = Image.fromarray(values)
    (image.convert(mode) if mode else image).save(out, "PNG", **options)
    return out.getvalue()


def test_white_is_hole() -> None:
    values = np.zeros(SHAPE, np.uint8)
    values[5:10, 20:30] = 255
    values[0, 0] = 127
    values[0, 1] = 128
    mask = image_mask(png(values), SHAPE)
    assert mask.dtype == bool
    assert mask.sum() == 51
    assert not mask[0, 0]
    assert mask[0, 1]


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P", "RGBA", "LA"])
def test_any_kind_of_image_is_a_mask(mode: str) -> None:
    values = np.zeros(SHAPE, np.uint8)
    values[5:10, 20:30] = 255
    assert (image_mask(png(values, mode), SHAPE) == (values > 0)).all()


def test_sixteen_bits_and_jpegs_are_masks_and_transparent_pixels_are_not() -> None:
    deep = np.zeros(SHAPE, np.uint16)
    deep[5:10] = 65535
    assert image_mask(png(deep), SHAPE).sum() == 5 * 60
    values = np.full((*SHAPE, 4), 255, np.uint8)
    values[:, :30, 3] = 0
    assert image_mask(png(values), SHAPE).sum() == 40 * 30


def test_a_mask_is_turned_by_its_own_orientation() -> None:
    values = np.zeros((60, 40), np.uint8)
    values[:10] = 255
    block = Image.Exif()
    block[0x0112] = 6
    assert image_mask(png(values, exif=block), SHAPE)[:, 50:].all()


def test_a_mask_of_another_size_is_refused_with_both_sizes() -> None:
    with pytest.raises(InvalidArgument, match="mask: the mask has 30x20 pixels, the photo 60x40"):
        image_mask(png(np.zeros((20, 30), np.uint8)), SHAPE)
    with pytest.raises(BadPhoto, match=r"items\[2\]\.mask: it is no image"):
        image_mask(b"no mask at all", SHAPE, field="items[2].mask")
    with pytest.raises(PhotoTooLarge, match="mask: "):
        image_mask(png(np.zeros(SHAPE, np.uint8)), SHAPE, max_pixels=100)


def test_a_box_is_left_top_width_height() -> None:
    mask = box_mask(SHAPE, (10, 5, 20, 8))
    assert bounds(mask) == (5, 10, 8, 20)
    assert mask.sum() == 160
    assert bounds(box_mask(SHAPE, (-5, -5, 10, 10))) == (0, 0, 5, 5)
    assert bounds(box_mask(SHAPE, (50, 30, 100, 100))) == (30, 50, 10, 10)
    assert bounds(box_mask(SHAPE, (1.5, 1.5, 1, 1))) == (1, 1, 2, 2)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((1, 2, 3), "box: a box is left,top,width,height, not 1,2,3"),
        ((1, 2, 0, 5), "0 wide and 5 high"),
        ((1, 2, 5, -1), "5 wide and -1 high"),
        ((60, 0, 5, 5), "the box 60,0,5,5 lies outside the photo of 60x40"),
        ((0, 0, float("nan"), 1), "left,top,width,height"),
        ((-20, 0, 5, 5), "lies outside"),
    ],
)
def test_wrong_boxes_name_their_field(box: tuple[float, ...], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message) as caught:
        box_mask(SHAPE, box)
    assert caught.value.violations[0][0] == "box"


def test_polygons_are_filled() -> None:
    square = polygon_mask(SHAPE, [(10, 5), (30, 5), (30, 13), (10, 13)])
    assert bounds(square) in ((5, 10, 8, 20), (4, 9, 10, 22), (5, 10, 9, 21))
    assert square[6:12, 11:29].all()
    triangle = polygon_mask(SHAPE, [(0, 0), (60, 0), (0, 40)])
    assert 0.48 < triangle.mean() < 0.55
    star = polygon_mask((100, 100), [(50, 5), (78, 95), (5, 38), (95, 38), (22, 95)])
    assert not star[55, 50]


def test_strokes_are_as_wide_as_asked_and_end_round() -> None:
    line = stroke_mask((60, 100), [(20, 30), (80, 30)], 10)
    assert abs(int(line[:, 50].sum()) - 10) <= 1
    found = bounds(line)
    assert found is not None
    assert abs(found[1] - 15) <= 1
    assert abs(found[3] - 70) <= 2
    dot = stroke_mask((60, 100), [(50, 30)], 20)
    assert dot.sum() == pytest.approx(np.pi * 100, rel=0.12)
    assert stroke_mask((60, 100), [(50, 30)], 1).sum() in (1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: polygon_mask(SHAPE, [(1, 1), (2, 2)]), "polygon: a polygon has at least 3 points, not 2"),
        (lambda: polygon_mask(SHAPE, [(100, 100), (120, 100), (120, 130)]), "polygon: the polygon lies outside"),
        (lambda: polygon_mask(SHAPE, [(1, 1), (2, float("inf")), (3, 3)]), "polygon: each point is a pair of finite"),
        (lambda: stroke_mask(SHAPE, [], 3), "stroke: a stroke has at least 1 point"),
        (lambda: stroke_mask(SHAPE, [(1, 1)], 0), "stroke: a stroke's width is more than 0"),
        (lambda: stroke_mask(SHAPE, [(500, 500)], 3), "stroke: the stroke lies outside"),
        (lambda: grow(np.ones(SHAPE, bool), 5000), "grow_px: masks grow by at most 1000"),
        (lambda: feather(np.ones(SHAPE, bool), -1), "feather_px: feathers are 0 to 1000"),
    ],
)
def test_wrong_marks_name_their_field(call: object, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        call()  # type: ignore[operator]


def test_growing_adds_a_round_rim_and_shrinking_takes_it_away() -> None:
    mask = box_mask((100, 100), (40, 40, 20, 20))
    grown = grow(mask, 5)
    assert bounds(grown) == (35, 35, 30, 30)
    assert not grown[35, 35]
    assert grown[40, 35]
    assert bounds(grow(mask, -5)) == (45, 45, 10, 10)
    assert not grow(mask, -10).any()
    assert (grow(mask, 0) == mask).all()
    assert not grow(np.zeros(SHAPE, bool), 9).any()


def test_a_mask_does_not_shrink_from_the_photos_edge() -> None:
    mask = box_mask((100, 100), (0, 0, 50, 100))
    assert bounds(grow(mask, -10)) == (0, 0, 100, 40)


def test_a_feather_is_one_in_the_hole_and_exactly_zero_beyond_its_width() -> None:
    mask = box_mask((100, 100), (40, 40, 20, 20))
    weight = feather(mask, 8)
    assert weight.dtype == np.float32
    assert (weight[mask] == 1).all()
    assert bounds(weight) == (32, 32, 36, 36)
    across = weight[50, 28:42]
    assert (np.diff(across) >= 0).all()
    assert across[:4].tolist() == [0, 0, 0, 0]
    assert 0.4 < weight[50, 35] < 0.65
    assert (feather(mask, 0) == mask).all()
    assert (feather(np.zeros(SHAPE, bool), 3) == 0).all()


def test_masks_are_joined() -> None:
    one, two = box_mask(SHAPE, (0, 0, 5, 5)), box_mask(SHAPE, (3, 3, 5, 5))
    assert union([one, two]).sum() == 25 + 25 - 4
    assert one.sum() == 25
