import numpy as np
import pytest

from inpainting_models.painting import Painter, at_multiple, check_photo_and_mask, each_photo, paint_one, stitch


def photo_of(height, width, seed=0):
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


def hole_of(height, width):
    mask = np.zeros((height, width), bool)
    mask[2:4, 3:6] = True
    return mask


def test_stitching_replaces_the_hole_and_leaves_known_pixels_bit_exact():
    photo, mask = photo_of(8, 9), hole_of(8, 9)
    painted = photo_of(8, 9, seed=1) * 3 - 1
    result = stitch(photo, painted, mask)
    assert np.array_equal(result[~mask], photo[~mask])
    assert np.array_equal(result[mask], np.clip(painted[mask], 0, 1))


def test_what_a_painter_returns_outside_the_hole_is_ignored():
    photo, mask = photo_of(8, 9), hole_of(8, 9)
    result = paint_one(lambda images, masks: np.ones_like(images), photo, mask)
    assert np.array_equal(result[~mask], photo[~mask])
    assert (result[mask] == 1).all()


def test_a_padded_painter_sees_multiples_and_returns_the_size_it_was_given():
    seen = []

    def paint(images, masks):
        seen.append((images.shape, masks.shape))
        return images

    photo, mask = photo_of(9, 14), hole_of(9, 14)
    assert np.array_equal(at_multiple(paint, 4)(photo[None], mask[None])[0], photo)
    assert seen == [((1, 12, 16, 3), (1, 12, 16))]
    assert at_multiple(paint, 1) is paint


@pytest.mark.parametrize(
    ("photo", "mask", "message"),
    [
        (np.zeros((4, 4), np.float32), np.zeros((4, 4), bool), "a photo is float32"),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), bool), "not uint8"),
        (np.zeros((4, 4, 3), np.float32), np.zeros((4, 5), bool), "the mask of a photo"),
        (np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.uint8), "not uint8"),
        (np.zeros((4, 4, 3), np.float32), np.ones((4, 4), bool), "covers the whole photo"),
    ],
)
def test_a_photo_and_mask_that_do_not_fit_are_refused(photo, mask, message):
    with pytest.raises(ValueError, match=message):
        check_photo_and_mask(photo, mask)


def test_photos_without_a_hole_pass_through_a_batch_untouched():
    photos = np.stack([photo_of(6, 7), photo_of(6, 7, seed=1)])
    masks = np.zeros((2, 6, 7), bool)
    masks[1] = hole_of(6, 7)
    result = each_photo(lambda photo, mask: np.zeros_like(photo))(photos, masks)
    assert np.array_equal(result[0], photos[0])
    assert (result[1] == 0).all()


def test_a_batch_with_too_few_masks_is_refused():
    with pytest.raises(ValueError, match="2 images but 1 masks"):
        each_photo(lambda photo, mask: photo)(np.zeros((2, 4, 4, 3), np.float32), np.zeros((1, 4, 4), bool))


def test_a_painter_says_what_it_is():
    painter = Painter("mine", lambda images, masks: images)
    assert (painter.training_size, painter.multiple) == (None, 1)
