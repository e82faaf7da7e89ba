import numpy as np
import pytest

from inpainting_models.baseline import baseline, plan_baseline

TRAINING_SIZE = (24, 32)


def identity(images, masks):
    return images


def smooth_photo(height, width):
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([y / height, x / width, (x + y) / (height + width)], axis=2) * 0.8 + 0.1


def hole_in(height, width):
    mask = np.zeros((height, width), bool)
    mask[height // 3 : height // 2, width // 4 : width // 2] = True
    return mask


@pytest.mark.parametrize("shape", [(60, 80), (80, 60), (61, 83), (24, 32), (11, 15), (100, 20)])
def test_painting_with_the_identity_returns_the_photo(shape):
    photo, mask = smooth_photo(*shape), hole_in(*shape)
    result = baseline(identity, photo, mask, TRAINING_SIZE)
    assert np.array_equal(result[~mask], photo[~mask])
    assert np.abs(result - photo).max() < 0.01


def test_at_the_training_size_the_identity_is_exact():
    photo = np.random.default_rng(0).random((24, 32, 3), np.float32)
    assert np.array_equal(baseline(identity, photo, hole_in(24, 32), TRAINING_SIZE), photo)


@pytest.mark.parametrize("shape", [(60, 80), (80, 60)])
def test_the_painter_sees_the_training_size_whichever_way_the_photo_is_held(shape):
    seen = []

    def paint(images, masks):
        seen.append((images.shape, masks.shape))
        return images

    photo, mask = smooth_photo(*shape), hole_in(*shape)
    baseline(paint, photo, mask, TRAINING_SIZE)
    assert seen == [((1, 24, 32, 3), (1, 24, 32))]
    assert [step.size for step in plan_baseline(photo, mask, TRAINING_SIZE).passes] == [(24, 32)]


def test_a_portrait_model_turns_a_landscape_photo():
    seen = []

    def paint(images, masks):
        seen.append(masks.shape)
        return images

    baseline(paint, smooth_photo(60, 80), hole_in(60, 80), (32, 24))
    assert seen == [(1, 32, 24)]


def test_what_was_painted_is_enlarged_into_the_hole_only():
    photo, mask = smooth_photo(60, 80), hole_in(60, 80)
    result = baseline(lambda images, masks: images * 0, photo, mask, TRAINING_SIZE)
    assert np.array_equal(result[~mask], photo[~mask])
    # At the rim the enlarged picture mixes with what is known.
    assert result[25:28, 24:38].max() == 0


def test_an_empty_mask_paints_nothing_and_needs_no_pass():
    photo, mask = smooth_photo(60, 80), np.zeros((60, 80), bool)

    def paint(images, masks):
        raise AssertionError("nothing is to be painted")

    assert np.array_equal(baseline(paint, photo, mask, TRAINING_SIZE), photo)
    assert str(plan_baseline(photo, mask, TRAINING_SIZE)) == "baseline: nothing to paint"


def test_a_full_mask_is_refused():
    with pytest.raises(ValueError, match="covers the whole photo"):
        baseline(identity, smooth_photo(60, 80), np.ones((60, 80), bool), TRAINING_SIZE)


def test_progress_counts_the_pass():
    told = []
    baseline(identity, smooth_photo(60, 80), hole_in(60, 80), TRAINING_SIZE, progress=lambda *what: told.append(what))
    assert told == [("pass", 0, 1), ("pass", 1, 1)]


def test_a_progress_that_raises_stops_the_work():
    class Enough(Exception):
        pass

    def progress(stage, done, total):
        raise Enough

    with pytest.raises(Enough):
        baseline(identity, smooth_photo(60, 80), hole_in(60, 80), TRAINING_SIZE, progress=progress)
