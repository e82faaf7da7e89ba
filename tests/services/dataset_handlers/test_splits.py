"""Splits follow from a photo's name alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_handlers.errors import BadConfig
from dataset_handlers.splits import DEFAULT_SPLITS, normalise_splits, split_of


def test_shares_are_scaled_to_one_and_empty_splits_dropped() -> None:
    assert normalise_splits({"train": 3, "test": 1, "validation": 0}) == {"test": 0.25, "train": 0.75}


@pytest.mark.parametrize(
    ("shares", "field"),
    [({"Train": 1}, "config.splits.Train"), ({"a": -1, "b": 2}, "config.splits.a"), ({"a": 0}, "config.splits")],
)
def test_a_wrong_share_is_named(shares: dict[str, float], field: str) -> None:
    with pytest.raises(BadConfig) as caught:
        normalise_splits(shares)
    assert caught.value.violations[0].field == field


@given(st.text(), st.permutations(sorted(DEFAULT_SPLITS)))
def test_the_order_of_the_shares_has_no_say(photo: str, order: list[str]) -> None:
    shares = normalise_splits(DEFAULT_SPLITS)
    assert split_of(photo, shares) == split_of(photo, {name: shares[name] for name in order})


def test_splits_come_near_their_shares() -> None:
    shares = normalise_splits(DEFAULT_SPLITS)
    counts = dict.fromkeys(shares, 0)
    for number in range(5000):
        counts[split_of(f"photo {number}.jpg", shares)] += 1
    assert all(abs(counts[name] / 5000 - share) < 0.02 for name, share in shares.items())
