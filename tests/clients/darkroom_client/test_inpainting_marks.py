"""Marks as people type them."""

import pytest

from darkroom_client.errors import InvalidArgument
from darkroom_client.inpainting import Marks, Stroke
from darkroom_client.inpainting_marks import read_marks


def test_marks_are_numbers_with_commas():
    found = read_marks(["1,2,30,40", "5, 6, 7, 8"], ["0,0 10,0 10,9.5"], ["12 1,1 2,2.5"], 3, 4)
    assert found == Marks(
        ((1, 2, 30, 40), (5, 6, 7, 8)),
        (((0, 0), (10, 0), (10, 9.5)),),
        (Stroke(((1, 1), (2, 2.5)), 12),),
        3,
        4,
    )


@pytest.mark.parametrize(
    ("boxes", "polygons", "strokes", "option"),
    [
        (["1,2,3"], [], [], "--box 1,2,3: write X,Y,WIDTH,HEIGHT"),
        (["1,2,3,wide"], [], [], "--box 1,2,3,wide"),
        (["1.5,2,3,4"], [], [], "whole pixels"),
        ([], ["1,2 3"], [], "--polygon 1,2 3: 3 is no point"),
        ([], ["1,2 3,x"], [], "--polygon"),
        ([], [], ["wide 1,1"], "--stroke"),
    ],
)
def test_what_is_wrong_is_shown_with_its_option(boxes, polygons, strokes, option):
    with pytest.raises(InvalidArgument, match=option.split(":")[0]):
        read_marks(boxes, polygons, strokes, 0, 0)
