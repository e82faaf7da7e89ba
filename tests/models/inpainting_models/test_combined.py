import numpy as np
import pytest

from inpainting_models.combined import combined, plan_combined
from inpainting_models.frame import Frame
from inpainting_models.resolution import scaled_mask
from inpainting_models.shrinking_mask import shrunken_masks
from inpainting_models.two_step import second_step_masks

TRAINING_SIZE = (24, 32)


def smooth_photo(height, width):
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([y / height, x / width, (x + y) / (height + width)], axis=2) * 0.8 + 0.1


def hole_in(height, width):
    mask = np.zeros((height, width), bool)
    mask[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4] = True
    return mask


@pytest.mark.parametrize("shape", [(96, 128), (128, 96), (24, 32), (30, 20)])
def test_painting_with_the_identity_returns_the_photo(shape):
    photo, mask = smooth_photo(*shape), hole_in(*shape)
    result = combined(lambda images, masks: images, photo, mask, TRAINING_SIZE)
    assert np.array_equal(result[~mask], photo[~mask])
    assert np.abs(result - photo).max() < 0.01


def test_the_passes_are_those_of_the_shrinking_mask_and_then_the_second_step():
    photo, mask = smooth_photo(96, 128), hole_in(96, 128)
    seen, told = [], []

    def paint(images, masks):
        seen.append(masks[0].copy())
        return images

    combined(paint, photo, mask, TRAINING_SIZE, progress=lambda *what: told.append(what))
    expected = shrunken_masks(scaled_mask(mask, TRAINING_SIZE), 4)[:-1]
    expected.append(second_step_masks(Frame.of(photo, mask, TRAINING_SIZE))[2])
    assert len(seen) == 5
    assert all(np.array_equal(hole, wanted) for hole, wanted in zip(seen, expected, strict=True))
    assert str(plan_combined(photo, mask, TRAINING_SIZE)) == "combined: 5 passes, 4 at 24x32, 1 at 48x64"
    assert told == [("pass", done, 5) for done in range(6)]


def test_a_small_photo_and_a_thin_hole_are_both_noted():
    photo, mask = smooth_photo(24, 32), np.zeros((24, 32), bool)
    mask[10, 10:20] = True
    plan = plan_combined(photo, mask, TRAINING_SIZE)
    assert len(plan.passes) == 1
    assert "too thin" in plan.note
    assert "no second step" in plan.note
