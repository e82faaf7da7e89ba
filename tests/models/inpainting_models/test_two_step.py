import numpy as np
import pytest

from inpainting_models.frame import Frame
from inpainting_models.resolution import scaled, scaled_mask
from inpainting_models.two_step import plan_two_step, second_step_masks, two_step

TRAINING_SIZE = (24, 32)


def smooth_photo(height, width):
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([y / height, x / width, (x + y) / (height + width)], axis=2) * 0.8 + 0.1


def large_and_small_hole(height, width):
    mask = np.zeros((height, width), bool)
    mask[height // 4 : height * 3 // 4, width // 8 : width // 2] = True
    mask[height // 8 : height // 8 + 4, width * 3 // 4 : width * 3 // 4 + 4] = True
    return mask


@pytest.mark.parametrize("shape", [(96, 128), (128, 96), (97, 131), (40, 50), (24, 32), (10, 14)])
def test_painting_with_the_identity_returns_the_photo(shape):
    photo, mask = smooth_photo(*shape), large_and_small_hole(*shape)
    result = two_step(lambda images, masks: images, photo, mask, TRAINING_SIZE)
    assert np.array_equal(result[~mask], photo[~mask])
    assert np.abs(result - photo).max() < 0.01


def test_the_painter_sees_the_whole_hole_small_and_then_rims_and_small_parts_at_twice_the_size():
    photo, mask = smooth_photo(96, 128), large_and_small_hole(96, 128)
    seen = []

    def paint(images, masks):
        seen.append((images[0].copy(), masks[0].copy()))
        return np.full_like(images, 0.5 if len(seen) == 1 else 0.9)

    result = two_step(paint, photo, mask, TRAINING_SIZE, rim_px=4)
    (first_image, first_hole), (second_image, second_hole) = seen
    assert np.array_equal(first_hole, scaled_mask(mask, (24, 32)))
    assert np.array_equal(first_image, scaled(photo, (24, 32)))
    whole, core, rim = second_step_masks(Frame.of(photo, mask, TRAINING_SIZE), rim_px=4)
    assert np.array_equal(second_hole, rim)
    assert core.any()
    assert np.array_equal(core | rim, whole)
    # The small hole has no core: step 2 paints it whole.
    assert not core[:, 40:].any()
    # Step 1's result is what step 2 knows of the core, stitched into the photo at the second size.
    assert np.allclose(second_image[core], 0.5, atol=0.02)
    assert np.array_equal(second_image[~whole], scaled(photo, (48, 64))[~whole])
    assert np.allclose(result[48, 40], 0.5, atol=0.02)
    assert np.allclose(result[27, 32], 0.9, atol=0.02)


@pytest.mark.parametrize(
    ("shape", "sizes", "note"),
    [
        ((96, 128), [(24, 32), (48, 64)], ""),
        ((128, 96), [(24, 32), (48, 64)], ""),
        ((40, 50), [(24, 32), (40, 50)], "smaller than the full second step"),
        ((24, 32), [(24, 32)], "no second step"),
        ((10, 12), [(24, 32)], "no second step"),
    ],
)
def test_the_plan_tells_every_pass_and_its_size(shape, sizes, note):
    photo, mask = smooth_photo(*shape), large_and_small_hole(*shape)
    seen, told = [], []

    def paint(images, masks):
        seen.append(masks.shape[1:])
        return images

    two_step(paint, photo, mask, TRAINING_SIZE, progress=lambda *what: told.append(what))
    plan = plan_two_step(photo, mask, TRAINING_SIZE)
    assert seen == [step.size for step in plan.passes] == sizes
    assert note in str(plan)
    assert told == [("pass", done, len(sizes)) for done in range(len(sizes) + 1)]


def test_an_empty_mask_needs_no_pass():
    photo, mask = smooth_photo(96, 128), np.zeros((96, 128), bool)
    assert np.array_equal(two_step(lambda images, masks: images * 0, photo, mask, TRAINING_SIZE), photo)
    assert plan_two_step(photo, mask, TRAINING_SIZE).passes == ()


def test_a_rim_of_nothing_is_refused():
    photo, mask = smooth_photo(96, 128), large_and_small_hole(96, 128)
    with pytest.raises(ValueError, match="at least one pixel"):
        two_step(lambda images, masks: images, photo, mask, TRAINING_SIZE, rim_px=0)
