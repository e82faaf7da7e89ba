"""Two preimages are told apart field by field: nothing is missed, nothing is made up."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dataset_registry.explaining import ABSENT, Candidate, Difference, differences, nearest, same

PREIMAGE: dict[str, Any] = {
    "schema": 1,
    "format": 1,
    "dataset_name": "street",
    "repository": "lab",
    "commit": "a" * 40,
    "handler": "shapes",
    "lock_digest": "l1",
    "dataset_handlers": "0.1.0",
    "platform": {"python": "3.11", "os": "linux", "arch": "x86_64"},
    "config": {"crop_size": [64, 64], "splits": {"test": 0.1}},
    "raw": {"photos": "d1"},
}

# Dots in a name would make a path that means two things.
NAMES = st.text("abcxyz_", min_size=1, max_size=3)
LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, "a", "b"])
VALUES = st.recursive(
    LEAVES | st.lists(LEAVES, max_size=2), lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
CONFIGS = st.dictionaries(NAMES, VALUES, max_size=4)


def with_config(config: Mapping[str, Any]) -> dict[str, Any]:
    return {**PREIMAGE, "config": config}


def patched(config: dict[str, Any], found: tuple[Difference, ...]) -> Any:
    """Put what was asked in the place of each difference."""
    whole: dict[str, Any] = {"config": config}
    for difference in found:
        *path, name = difference.field.split(".")
        place = whole
        for part in path:
            place = place[part]
        if difference.asked is ABSENT:
            del place[name]
        else:
            place[name] = difference.asked
    return whole["config"]


@given(CONFIGS)
def test_a_dataset_does_not_differ_from_itself(config):
    assert differences(with_config(config), with_config(config)) == ()


@given(CONFIGS, CONFIGS)
def test_the_other_config_with_the_asked_values_is_the_asked_config(asked, other):
    found = differences(with_config(asked), with_config(other))
    assert same(patched(copy.deepcopy(other), found), asked)


@given(CONFIGS, CONFIGS)
def test_seen_from_the_other_side_the_same_fields_differ(asked, other):
    there = differences(with_config(asked), with_config(other))
    back = differences(with_config(other), with_config(asked))
    assert [(each.field, each.asked, each.other) for each in there] == [(e.field, e.other, e.asked) for e in back]


def test_each_field_of_the_key_has_its_word():
    changed: dict[str, Any] = {
        "commit": "b" * 40,
        "lock_digest": "l2",
        "dataset_handlers": "0.2.0",
        "platform": {"python": "3.8", "os": "linux", "arch": "x86_64"},
        "handler": "lines",
        "format": 2,
        "config": {"crop_size": [128, 64], "splits": {"test": 0.2}},
        "raw": {"photos": "d2", "masks": "d3"},
    }
    words = {
        name: [each.field for each in differences({**PREIMAGE, name: value}, PREIMAGE)]
        for name, value in changed.items()
    }
    assert words == {
        "commit": ["commit"],
        "lock_digest": ["lock"],
        "dataset_handlers": ["dataset_handlers"],
        "platform": ["platform"],
        "handler": ["handler"],
        "format": ["format"],
        "config": ["config.crop_size", "config.splits.test"],
        "raw": ["raw.masks", "raw.photos"],
    }
    assert len(differences({**PREIMAGE, **changed}, PREIMAGE)) == 10


def test_true_is_not_one_and_null_is_not_nothing():
    [difference] = differences(with_config({"flip": True}), with_config({"flip": 1}))
    assert (difference.asked, difference.other) == (True, 1)
    [difference] = differences(with_config({"crop_size": None}), with_config({}))
    assert difference.asked is None
    assert difference.other is ABSENT


def test_fewest_fields_come_first_and_the_newest_among_equals():
    asked = with_config({"a": 1, "b": 1})
    candidates = [
        Candidate("two", with_config({"a": 2, "b": 2}), 9.0),
        Candidate("old", with_config({"a": 1, "b": 2}), 1.0),
        Candidate("new", with_config({"a": 2, "b": 1}), 2.0),
        Candidate("more", with_config({"a": 2, "b": 2, "c": 1}), 9.0),
    ]
    assert [near.key for near in nearest(asked, candidates, 3)] == ["new", "old", "two"]
