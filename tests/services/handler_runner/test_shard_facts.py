"""What the manifest says of features, whatever the order of the shards."""

from __future__ import annotations

from itertools import permutations

import pytest

from handler_runner.failure import WorkFailed
from handler_runner.shard_facts import ShardFacts, merge_features

IMAGE = {"dtype": "bytes", "shape": [], "encoding": "jpeg", "image_shape": [256, 256, 3]}


def merged(*features):
    """Merge in every order; all must agree."""
    results = [merge_features({"x": feature} for feature in order) for order in permutations(features)]
    assert all(result == results[0] for result in results)
    return results[0]["x"]


def test_equal_features_stay():
    assert merged(IMAGE, IMAGE) == IMAGE


def test_sides_that_differ_become_null():
    assert merged(IMAGE, {**IMAGE, "image_shape": [100, 256, 3]})["image_shape"] == [None, 256, 3]


def test_one_value_here_and_a_list_there_is_a_list_of_any_length():
    assert merged({"dtype": "int64", "shape": []}, {"dtype": "int64", "shape": [3]})["shape"] == [None]


def test_encodings_that_differ_are_left_out():
    assert merged(IMAGE, {**IMAGE, "encoding": "png"}) == {"dtype": "bytes", "shape": []}


def test_a_shard_of_empty_lists_has_no_say_in_the_kind():
    assert merged({"dtype": "bytes", "shape": [None]}, {"dtype": "int64", "shape": [None]})["dtype"] == "int64"


def test_an_empty_shard_has_no_say():
    assert merge_features([{}, {"x": IMAGE}, {}]) == {"x": IMAGE}
    assert merge_features([]) == {}


def test_a_feature_of_two_kinds_is_a_mistake_of_the_handler():
    with pytest.raises(WorkFailed, match="'x' is float32 in one example and int64 in another"):
        merged({"dtype": "int64", "shape": []}, {"dtype": "float32", "shape": []})


def test_a_feature_that_only_some_have_is_a_mistake_of_the_handler():
    with pytest.raises(WorkFailed, match="only some examples hold 'y'"):
        merge_features([{"x": IMAGE}, {"x": IMAGE, "y": IMAGE}])


def test_facts_come_back_and_damaged_ones_are_none():
    facts = ShardFacts({"x": IMAGE}, ("a.jpg: no photo",))
    assert ShardFacts.of(facts.to_bytes()) == facts
    assert ShardFacts.of(b"{}") is None
    assert ShardFacts.of(b"\xff") is None
