import subprocess
import sys

import numpy as np
import pytest

from inpainting_models.painters import NAMES, painter


@pytest.fixture(scope="module")
def scene():
    rng = np.random.default_rng(0)
    photo = np.clip(0.5 + 0.1 * rng.standard_normal((96, 128, 3)), 0, 1).astype(np.float32)
    mask = np.zeros((96, 128), bool)
    mask[40:60, 50:80] = True
    return photo, mask


@pytest.mark.parametrize("name", NAMES)
def test_every_painter_fills_the_hole_alike_for_the_same_seed_and_in_any_batch(name, scene):
    photo, mask = scene
    other = photo[::-1].copy()
    paint = painter(name, seed=5).paint
    alone = paint(photo[None], mask[None])
    together = paint(np.stack([other, photo]), np.stack([mask, mask]))
    assert alone.dtype == np.float32
    assert np.array_equal(alone[0], together[1])
    assert np.array_equal(alone[0][~mask], photo[~mask])
    assert 0 <= alone.min() <= alone.max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_every_painter_ignores_what_lies_in_the_hole(name, scene):
    photo, mask = scene
    spoiled = photo.copy()
    spoiled[mask] = 1
    paint = painter(name).paint
    assert np.array_equal(paint(photo[None], mask[None])[0][mask], paint(spoiled[None], mask[None])[0][mask])


@pytest.mark.parametrize("name", NAMES)
def test_every_painter_says_what_it_is_good_for(name):
    assert painter(name).name == name
    assert painter(name).description


def test_an_unknown_painter_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"no painter 'lama'; there are mean, telea, ns"):
        painter("lama")


def test_listing_painters_loads_nothing_heavy():
    code = (
        "import sys, inpainting_models.painters; "
        "print([m for m in ('cv2', 'numba', 'keras', 'tensorflow', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
