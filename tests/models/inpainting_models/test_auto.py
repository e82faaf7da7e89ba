import numpy as np
import pytest
from skimage import data

from inpainting_models.auto import auto, plan_auto
from inpainting_models.painting import Cancelled


def gravel():
    return np.repeat((data.gravel().astype(np.float32) / 255)[..., None], 3, axis=2)


def sky():
    rng = np.random.default_rng(0)
    y = np.linspace(0.5, 0.8, 512, dtype=np.float32)[:, None, None]
    return np.clip(y + rng.normal(0, 0.01, (512, 512, 3)), 0, 1).astype(np.float32)


def box(top, left, height, width):
    mask = np.zeros((512, 512), bool)
    mask[top : top + height, left : left + width] = True
    return mask


@pytest.mark.parametrize(
    ("photo", "mask", "method", "why"),
    [
        (gravel(), box(100, 100, 5, 200), "ns", "nowhere wider than"),
        (sky(), box(100, 100, 80, 120), "flat", "smooth"),
        (gravel(), box(100, 100, 80, 120), "detail", "texture or structure"),
    ],
    ids=["scratch", "sky", "gravel"],
)
def test_it_chooses_by_shape_and_surroundings_and_says_why(photo, mask, method, why):
    (choice,) = plan_auto(photo, mask)
    assert choice.method == method
    assert why in choice.why
    assert choice.warning == ""
    result = auto(photo, mask)
    assert result.choices == (choice,)
    assert np.array_equal(result.photo[~mask], photo[~mask])


def test_a_sky_goes_on_with_its_slope_and_its_grain():
    photo, mask = sky(), box(100, 100, 120, 160)
    result = auto(photo, mask).photo
    smooth = np.linspace(0.5, 0.8, 512, dtype=np.float32)[:, None, None]
    assert np.abs((result - smooth)[mask].mean()) < 0.005
    assert 0.8 < (result - smooth)[mask].std() / 0.01 < 1.25


def test_an_edge_in_the_dark_is_continued():
    # It is four levels high: nothing in the light, but all there is in a shadow that somebody lifts.
    photo = np.clip(np.random.default_rng(0).normal(0.04, 0.004, (512, 512, 3)), 0, 1).astype(np.float32)
    photo[:, 140:] += 4 / 255
    (dark,) = plan_auto(photo, box(100, 100, 80, 120))
    (light,) = plan_auto(photo + np.float32(0.5), box(100, 100, 80, 120))
    assert (dark.method, light.method) == ("detail", "flat")


def test_it_warns_where_too_much_is_missing():
    (choice,) = plan_auto(gravel(), box(60, 60, 380, 380))
    assert "too much for any method" in choice.warning
    photo = np.tile(gravel(), (3, 3, 1))
    mask = np.zeros(photo.shape[:2], bool)
    mask[500:820, 500:820] = True
    (choice,) = plan_auto(photo, mask)
    assert "320 px wide" in choice.warning


def test_each_cluster_of_holes_gets_its_own_choice():
    photo = np.concatenate([np.concatenate([gravel(), gravel()]), np.concatenate([sky(), sky()])], axis=1)
    mask = np.zeros(photo.shape[:2], bool)
    mask[100:140, 100:140] = mask[800:840, 850:890] = True
    assert [choice.method for choice in plan_auto(photo, mask)] == ["detail", "flat"]
    told = []
    auto(photo, mask, progress=lambda *what: told.append(what))
    assert {stage for stage, _, _ in told} == {"detail, crop 1 of 2", "flat, crop 2 of 2"}


def test_a_photo_is_taken_as_it_is_stored():
    photo, mask = (gravel() * 65535).astype(np.uint16), box(100, 100, 80, 120)
    result = auto(photo, mask).photo
    assert result.dtype == np.uint16
    assert np.array_equal(result[~mask], photo[~mask])


def test_an_empty_mask_needs_no_choice():
    result = auto(sky(), np.zeros((512, 512), bool))
    assert result.choices == ()
    assert np.array_equal(result.photo, sky())


def test_the_work_can_be_cancelled():
    with pytest.raises(Cancelled):
        auto(gravel(), box(100, 100, 80, 120), cancel=lambda: True)
