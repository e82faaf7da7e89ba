"""The suite's holes keep what their cell promises."""

from __future__ import annotations

import numpy as np
import pytest

from inpainting_models.evaluation.hole_masks import FAMILIES, make_hole
from inpainting_models.evaluation.randomness import generator
from inpainting_models.evaluation.suite import BINS


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("area", [BINS[0], BINS[1], BINS[5]])
@pytest.mark.parametrize("border", [False, True])
@pytest.mark.parametrize("shape", [(128, 128), (170, 128), (97, 201)])
def test_a_hole_has_the_area_and_the_border_of_its_cell(
    family: str, area: tuple[float, float], border: bool, shape: tuple[int, int]
) -> None:
    mask = make_hole(shape, family, area, border, generator("test", family, area, border))
    assert mask.shape == shape
    assert mask.dtype == bool
    assert area[0] < mask.mean() <= area[1]
    margin = max(1, round(50 * min(shape) / 512))
    frame = np.ones(shape, bool)
    frame[margin:-margin, margin:-margin] = False
    edge = np.ones(shape, bool)
    edge[1:-1, 1:-1] = False
    assert mask[edge].any() if border else not mask[frame].any()


def test_the_same_seed_draws_the_same_hole_and_another_one_does_not() -> None:
    one, again, other = (make_hole((96, 96), "medium", (0.1, 0.2), True, generator(seed)) for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()


def test_figures_grow_with_the_photo() -> None:
    small = make_hole((128, 128), "thin", (0.2, 0.3), False, generator("size"))
    large = make_hole((512, 512), "thin", (0.2, 0.3), False, generator("size"))
    changes = [np.count_nonzero(mask[:, 1:] != mask[:, :-1]) / mask.shape[0] for mask in (small, large)]
    # As many strokes cross each row, whatever the size.
    assert 0.5 < changes[0] / changes[1] < 2


def test_a_photo_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="no room"):
        make_hole((20, 400), "box", (0.5, 1.0), False, generator("room"))
    with pytest.raises(ValueError, match="no mask family 'star'"):
        make_hole((64, 64), "star", (0.1, 0.2), True, generator("star"))
