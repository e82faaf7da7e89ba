"""What a value is, is found from the value, and merged over all examples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dataset_handlers.errors import HandlerError
from dataset_handlers.features import feature_of, merge_features, merge_signatures
from dataset_handlers.operations import encode_jpeg, encode_png


def described(*values: Any) -> dict[str, Any]:
    return merge_signatures("x", [feature_of(value).signature for value in values])


@pytest.mark.parametrize(
    ("value", "feature"),
    [
        (b"abc", {"dtype": "bytes", "shape": []}),
        ("abc", {"dtype": "bytes", "shape": [], "encoding": "utf8"}),
        (3, {"dtype": "int64", "shape": []}),
        (True, {"dtype": "int64", "shape": []}),
        (np.int8(3), {"dtype": "int64", "shape": []}),
        (np.array(3, np.uint8), {"dtype": "int64", "shape": []}),
        (0.5, {"dtype": "float32", "shape": []}),
        (np.float64(0.5), {"dtype": "float32", "shape": []}),
        ([1, 2], {"dtype": "int64", "shape": [2]}),
        ((1, 2.5), {"dtype": "float32", "shape": [2]}),
        (["a", "b"], {"dtype": "bytes", "shape": [2], "encoding": "utf8"}),
        (np.zeros((2, 3)), {"dtype": "float32", "shape": [2, 3]}),
        (np.zeros((2, 3), np.int32), {"dtype": "int64", "shape": [2, 3]}),
        (
            np.zeros((2, 3), np.uint8),
            {"dtype": "bytes", "shape": [], "encoding": "raw", "raw_dtype": "uint8", "raw_shape": [2, 3]},
        ),
        (
            np.zeros(4, bool),
            {"dtype": "bytes", "shape": [], "encoding": "raw", "raw_dtype": "bool", "raw_shape": [4]},
        ),
        (np.array(["a", "b"]), {"dtype": "bytes", "shape": [2], "encoding": "utf8"}),
        ([], {"dtype": "bytes", "shape": [None]}),
    ],
)
def test_a_value_says_what_it_is(value: Any, feature: dict[str, Any]) -> None:
    assert described(value) == feature


def test_images_are_noticed_with_their_size() -> None:
    colour, grey = np.zeros((30, 40, 3), np.uint8), np.zeros((30, 40), np.uint8)
    assert described(encode_jpeg(colour)) == {
        "dtype": "bytes",
        "shape": [],
        "encoding": "jpeg",
        "image_shape": [30, 40, 3],
    }
    assert described(encode_png(grey))["image_shape"] == [30, 40, 1]


def test_sides_that_differ_are_open() -> None:
    assert described([1, 2], [3]) == {"dtype": "int64", "shape": [None]}
    assert described(np.zeros((2, 5)), np.zeros((3, 5))) == {"dtype": "float32", "shape": [None, 5]}
    assert described([1, 2], []) == {"dtype": "int64", "shape": [None]}
    assert described(1, [1, 2]) == {"dtype": "int64", "shape": [None]}
    images = [encode_png(np.zeros((height, 8), np.uint8)) for height in (8, 9)]
    assert described(*images)["image_shape"] == [None, 8, 1]


def test_mixed_encodings_leave_the_encoding_open() -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    assert described(encode_png(image), encode_jpeg(image)) == {"dtype": "bytes", "shape": []}


@pytest.mark.parametrize(("one", "other"), [(1, 0.5), ("a", 1), (np.zeros(2, np.uint8), np.zeros(2, np.int16))])
def test_a_feature_that_changes_its_kind_is_refused(one: Any, other: Any) -> None:
    with pytest.raises(HandlerError, match="feature 'x'"):
        described(one, other)


@pytest.mark.parametrize("value", [None, object(), {"a": 1}, [[1], [2]], ["a", 1], 1 + 2j, np.zeros(2, complex)])
def test_a_value_of_no_kind_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        feature_of(value)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, np.array([2**63], np.uint64), [2**63]])
def test_a_number_that_does_not_fit_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="does not fit into int64"):
        feature_of(value)


def test_an_array_in_any_memory_order_has_the_same_bytes() -> None:
    array = np.arange(12, dtype=np.uint16).reshape(3, 4)
    big_endian = array.astype(">u2")
    for other in (np.asfortranarray(array), array[::1], big_endian):
        assert feature_of(other).values[0] == array.tobytes()
        assert feature_of(other).signature == feature_of(array).signature


def test_the_features_of_two_shards_merge() -> None:
    left = {"image": described(encode_png(np.zeros((8, 8), np.uint8))), "box": described([1.0])}
    right = {"image": described(encode_png(np.zeros((9, 8), np.uint8))), "box": described([1.0])}
    assert merge_features(left, right)["image"]["image_shape"] == [None, 8, 1]
    assert merge_features({}, left) == merge_features(left, {}) == left
    assert merge_features(left, left) == left
    with pytest.raises(HandlerError, match="only some examples hold 'box'"):
        merge_features(left, {"image": left["image"]})
