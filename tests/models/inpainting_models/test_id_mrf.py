"""ID-MRF against the published steps, one position after the other."""

import numpy as np
import pytest

from inpainting_models.id_mrf import id_mrf

RNG = np.random.default_rng(0)
PREDICTED, TRUTH = RNG.normal(size=(2, 2, 4, 5, 6)).astype(np.float32)


def numpy_id_mrf(targets, candidates, h=0.5):
    mean = targets.mean(axis=(0, 1, 2))
    losses = []
    for target, candidate in zip(targets - mean, candidates - mean, strict=True):
        target, candidate = target.reshape(-1, target.shape[-1]), candidate.reshape(-1, target.shape[-1])
        similarity = np.zeros((len(candidate), len(target)))
        for row, vector in enumerate(candidate):
            cosine = target @ vector / (np.linalg.norm(target, axis=1) * np.linalg.norm(vector))
            distance = (1 - cosine) / 2
            weight = np.exp((1 - distance / (distance.min() + 1e-5)) / h)
            similarity[row] = weight / weight.sum()
        losses.append(-np.log(similarity.max(axis=0).mean()))
    return np.mean(losses)


def test_it_is_the_published_loss():
    assert float(id_mrf(PREDICTED, TRUTH)) == pytest.approx(numpy_id_mrf(PREDICTED, TRUTH), rel=1e-4)


def test_the_papers_roles_are_the_other_way_round():
    assert float(id_mrf(PREDICTED, TRUTH, faithful=False)) == pytest.approx(numpy_id_mrf(TRUTH, PREDICTED), rel=1e-4)


def test_the_same_features_in_another_place_are_as_good():
    moved = np.roll(TRUTH, 2, axis=2)
    assert float(id_mrf(moved, TRUTH)) == pytest.approx(float(id_mrf(TRUTH, TRUTH)), abs=1e-4)
    assert float(id_mrf(moved, TRUTH)) < 0.05 < float(id_mrf(PREDICTED, TRUTH))


def test_large_maps_are_thinned_to_the_same_places_in_both():
    assert float(id_mrf(TRUTH, TRUTH, most_positions=7, seed=1)) < 0.05
    one = float(id_mrf(PREDICTED, TRUTH, most_positions=7, seed=1))
    assert one == float(id_mrf(PREDICTED, TRUTH, most_positions=7, seed=1))
    assert one != float(id_mrf(PREDICTED, TRUTH, most_positions=7, seed=2))


def test_a_picture_of_one_colour_is_not_nan():
    flat = np.ones_like(TRUTH)
    assert np.isfinite(float(id_mrf(flat, flat)))
