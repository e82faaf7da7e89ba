import numpy as np

from inpainting_models.feather import feathered, grown


def hole():
    mask = np.zeros((40, 50), bool)
    mask[15:25, 20:30] = True
    return mask


def test_nothing_beyond_the_feather_changes_and_the_hole_is_all_paint():
    rng = np.random.default_rng(0)
    photo, painted = rng.random((40, 50, 3), np.float32), rng.random((40, 50, 3), np.float32)
    result = feathered(photo, painted, hole(), 4)
    beyond = ~grown(hole(), 4)
    assert np.array_equal(result[beyond], photo[beyond])
    assert np.array_equal(result[hole()], painted[hole()])


def test_paint_fades_out_evenly():
    photo, painted = np.zeros((40, 50, 3), np.float32), np.ones((40, 50, 3), np.float32)
    row = feathered(photo, painted, hole(), 4)[20, 29:36, 0]
    assert np.allclose(row, [1, 0.8, 0.6, 0.4, 0.2, 0, 0], atol=1e-6)


def test_without_a_feather_the_paste_is_hard():
    photo, painted = np.zeros((40, 50, 3), np.float32), np.ones((40, 50, 3), np.float32)
    assert np.array_equal(feathered(photo, painted, hole(), 0)[..., 0] > 0, hole())


def test_a_mask_grows_in_a_disc_and_an_empty_one_stays_empty():
    dot = np.zeros((21, 21), bool)
    dot[10, 10] = True
    assert grown(dot, 3).sum() == 29
    assert not grown(np.zeros((5, 5), bool), 3).any()
