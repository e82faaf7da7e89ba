"""What the sheet shows of a case."""

from __future__ import annotations

import numpy as np

from inpainting_models.evaluation.images import shipped_images
from inpainting_models.evaluation.pictures import LARGEST_PX, shown_cases, shown_window
from inpainting_models.evaluation.suite import cells, plan


def test_a_small_hole_is_shown_with_its_surroundings() -> None:
    mask = np.zeros((400, 400), bool)
    mask[100:200, 150:160] = True
    assert shown_window(mask) == (slice(75, 225), slice(126, 184))


def test_of_far_apart_holes_the_larger_one_is_shown() -> None:
    mask = np.zeros((3000, 4000), bool)
    mask[10:60, 10:60] = True
    mask[2500:2900, 3500:3900] = True
    window = shown_window(mask)
    assert mask[window].shape == (LARGEST_PX, LARGEST_PX)
    assert mask[window].sum() == 400 * 400


def test_a_huge_hole_is_shown_at_its_rim() -> None:
    mask = np.zeros((3000, 4000), bool)
    mask[500:2500, 500:3500] = True
    assert 0.4 < mask[shown_window(mask)].mean() < 0.6


def test_the_shown_cases_are_of_all_families_and_always_the_same() -> None:
    cases = plan(shipped_images(), cells(), 1)
    shown = shown_cases(cases, 12)
    assert shown == shown_cases(cases[::-1], 12)
    assert len({case.cell.family for case in shown}) == 6
