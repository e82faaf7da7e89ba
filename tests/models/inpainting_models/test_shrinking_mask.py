from itertools import pairwise

import numpy as np
import pytest

from inpainting_models.shrinking_mask import plan_shrinking_mask, shrinking_mask, shrunken_masks

TRAINING_SIZE = (48, 64)


def photo_of(height, width, seed=0):
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


def disc(height, width, radius):
    y, x = np.mgrid[0:height, 0:width]
    return (y - height // 2) ** 2 + (x - width // 2) ** 2 <= radius**2


def test_the_number_of_shrunken_masks_is_the_number_of_passes_and_the_last_is_empty():
    for passes in (1, 2, 4, 7):
        masks = shrunken_masks(disc(48, 64, 15), passes)
        assert len(masks) == passes + 1
        assert not masks[-1].any()
        assert all(mask.any() for mask in masks[:-1])


def test_masks_shrink_from_the_rim_by_equal_steps():
    masks = shrunken_masks(disc(48, 64, 16), 4)
    radii = [round(np.sqrt(mask.sum() / np.pi)) for mask in masks[:-1]]
    assert radii == [16, 12, 8, 4]
    assert all((inner & ~outer).sum() == 0 for outer, inner in pairwise(masks))


def test_the_painter_sees_exactly_the_shrinking_masks_and_the_last_pass_result():
    photo, mask = photo_of(48, 64), disc(48, 64, 15)
    seen = []

    def paint(images, masks):
        seen.append((images[0].copy(), masks[0].copy()))
        return np.full_like(images, 0.1 * len(seen))

    result = shrinking_mask(paint, photo, mask, TRAINING_SIZE)
    expected = shrunken_masks(mask, 4)
    assert len(seen) == 4
    for (image, hole), wanted in zip(seen, expected, strict=False):
        assert np.array_equal(hole, wanted)
        assert np.array_equal(image[~mask], photo[~mask])
    for ring in range(4):
        in_ring = expected[ring] & ~expected[ring + 1]
        assert np.allclose(result[in_ring], 0.1 * (ring + 1))
        if ring < 3:
            assert np.allclose(seen[ring + 1][0][in_ring], 0.1 * (ring + 1))


@pytest.mark.parametrize("shape", [(48, 64), (64, 48)])
def test_painting_with_the_identity_returns_the_photo(shape):
    photo = photo_of(*shape)
    assert np.array_equal(shrinking_mask(lambda images, masks: images, photo, disc(*shape, 12), TRAINING_SIZE), photo)


def test_the_passes_are_known_before_the_run():
    photo, mask = photo_of(96, 128), disc(96, 128, 30)
    told = []
    shrinking_mask(lambda images, masks: images, photo, mask, TRAINING_SIZE, progress=lambda *what: told.append(what))
    plan = plan_shrinking_mask(photo, mask, TRAINING_SIZE)
    assert told == [("pass", done, 4) for done in range(5)]
    assert str(plan) == "shrinking_mask: 4 passes, 4 at 48x64"


def test_a_hole_of_few_pixels_takes_fewer_passes_and_the_plan_says_why():
    photo, mask = photo_of(48, 64), np.zeros((48, 64), bool)
    mask[20:23, 30:33] = True
    plan = plan_shrinking_mask(photo, mask, TRAINING_SIZE)
    assert len(plan.passes) == 2
    assert "too thin for 4 passes" in str(plan)


def test_a_hole_at_the_border_shrinks_away_from_what_is_known_only():
    mask = np.zeros((40, 40), bool)
    mask[:, :20] = True
    masks = shrunken_masks(mask, 4)
    # Its left side is the photo's border: no rim, so it remains to the last.
    assert all(step[:, 0].all() for step in masks[:-1])


def test_an_empty_mask_needs_no_pass():
    photo = photo_of(48, 64)
    assert not plan_shrinking_mask(photo, np.zeros((48, 64), bool), TRAINING_SIZE).passes


def test_no_pass_at_all_is_refused():
    with pytest.raises(ValueError, match="at least one pass"):
        shrunken_masks(disc(20, 20, 5), 0)
