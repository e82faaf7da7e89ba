"""The hole: all marks together, grown, with a soft edge whose shares fit together over crops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inpainting import masks
from inpainting.hole import check_shapes, make_hole
from inpainting.task import Shapes
from inpainting_models.detail import detail_crops
from inpainting_models.painting import Cancelled
from service_kit.errors import InvalidArgument

from .conftest import encoded

SHAPE = (60, 90)


def test_marks_add_up() -> None:
    image = np.zeros(SHAPE, np.uint8)
    image[0, 0] = 255
    marks = Shapes(
        boxes=((10, 20, 5, 6),),
        polygons=(((50, 10), (60, 10), (60, 20), (50, 20)),),
        strokes=((((80, 50), (85, 50)), 4),),
    )
    hole = make_hole(SHAPE, marks, encoded(image), 10_000)
    for y, x in ((0, 0), (25, 14), (15, 55), (50, 82)):
        assert hole.mask[y, x]
    assert not hole.mask[40, 40]
    assert hole.core is hole.mask or (hole.core == hole.mask).all()


def test_a_hole_grows_all_around() -> None:
    hole = make_hole(SHAPE, Shapes(boxes=((30, 30, 10, 10),), grow_px=3), None, 10_000)
    rows, columns = np.nonzero(hole.mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (27, 42, 27, 42)


@settings(max_examples=25, deadline=None)
@given(
    feather_px=st.integers(0, 30),
    boxes=st.lists(
        st.tuples(st.integers(0, 1100), st.integers(0, 900), st.integers(1, 60), st.integers(1, 60)),
        min_size=1,
        max_size=4,
    ),
)
def test_the_soft_edge_is_the_same_whether_cut_into_crops_or_not(
    feather_px: int, boxes: list[tuple[int, int, int, int]]
) -> None:
    shape = (1000, 1200)
    hole = make_hole(shape, Shapes(boxes=tuple(boxes), feather_px=feather_px), None, 2_000_000)
    whole = masks.feather(hole.core, feather_px)
    assert (whole[~hole.mask] == 0).all()
    together = np.zeros(shape, np.float32)
    for box in detail_crops(hole.mask):
        together[box.slices] = hole.weight(box)
    # OpenCV's distances differ in the last bit with where they are counted from.
    assert np.abs(together - whole).max() < 1e-5
    assert ((together == 0) == (whole == 0)).all()


def test_a_hole_that_is_everything_leaves_nothing_to_paint_from() -> None:
    with pytest.raises(InvalidArgument, match="mask: the mask covers the whole photo"):
        make_hole(SHAPE, Shapes(boxes=((0, 0, 90, 60),)), None, 10_000)
    with pytest.raises(InvalidArgument, match="with its soft edge"):
        make_hole(SHAPE, Shapes(boxes=((5, 5, 80, 50),), feather_px=40), None, 10_000)


def test_an_empty_image_is_an_empty_hole() -> None:
    assert not make_hole(SHAPE, Shapes(), encoded(np.zeros(SHAPE, np.uint8)), 10_000).mask.any()


def test_a_caller_that_left_is_noticed_between_shapes() -> None:
    with pytest.raises(Cancelled):
        make_hole(SHAPE, Shapes(boxes=((1, 1, 2, 2),)), None, 10_000, lambda: True)


@pytest.mark.parametrize(
    ("shapes", "field"),
    [
        (Shapes(), "mask"),
        (Shapes(boxes=((1, 1, 2, 2),) * 1001), "mask"),
        (Shapes(boxes=((1, 1, 2, 2),), grow_px=501), "mask.grow_px"),
        (Shapes(boxes=((1, 1, 2, 2),), feather_px=-1), "mask.feather_px"),
    ],
)
def test_what_is_wrong_for_any_photo_is_said_at_once(shapes: Shapes, field: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_shapes(shapes, has_image=False)
    assert [each for each, _ in caught.value.violations] == [field]
