"""A sample's randomness follows from seed, id and variation."""

from __future__ import annotations

import itertools

from dataset_handlers.randomness import digest_integer, sample_rng


def test_the_same_sample_draws_the_same() -> None:
    assert sample_rng(1, "a.jpg", 2).random(3).tolist() == sample_rng(1, "a.jpg", 2).random(3).tolist()


def test_seed_id_and_variation_each_change_it() -> None:
    draws = {sample_rng(seed, name, variation).random() for seed in (0, 1) for name in "ab" for variation in (0, 1)}
    assert len(draws) == 8


def test_parts_cannot_run_into_one_another() -> None:
    parts = [("1", "23"), ("12", "3"), ("123", "")]
    assert len({digest_integer(*part) for part in parts}) == 3


def test_values_stay_what_they_were_in_the_first_release() -> None:
    # Whoever changes these changes every dataset; the version of the package must then change too.
    assert digest_integer("order", "train", "a.jpg") == 17752115811544595502
    assert sample_rng(0, "a.jpg", 0).random(2).tolist() == [0.6769141127894805, 0.9000035548632048]


def test_a_name_that_is_no_unicode_has_randomness_too() -> None:
    names = ["\udcff.jpg", "\udcfe.jpg", "ÿ.jpg"]
    draws = [sample_rng(0, name, 0).random() for name in names]
    assert all(left != right for left, right in itertools.combinations(draws, 2))
