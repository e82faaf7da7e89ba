"""Examples are read as they were written, without TensorFlow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom_client import DataLoss, InvalidArgument
from darkroom_client.example import decode_example
from darkroom_client.manifest import Feature
from dataset_handlers.example import encode_example


def decode(values: dict, *features: Feature, **options) -> dict:
    return decode_example(memoryview(encode_example(values)), {each.name: each for each in features}, **options)


@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.lists(st.floats(width=32, allow_nan=False)))
def test_numbers_come_back_in_their_shape(integers, floats):
    values = {"i": np.array(integers, np.int64), "f": np.array(floats, np.float32)}
    found = decode(values, Feature("i", "int64", (None,)), Feature("f", "float32", (None,)))
    assert found["i"].dtype == np.int64
    assert found["f"].dtype == np.float32
    np.testing.assert_array_equal(found["i"], values["i"])
    np.testing.assert_array_equal(found["f"], values["f"])


def test_a_single_number_is_a_scalar_and_an_array_keeps_its_shape():
    values = {"label": 7, "grid": np.arange(6, dtype=np.float32).reshape(2, 3)}
    found = decode(values, Feature("label", "int64", ()), Feature("grid", "float32", (2, 3)))
    assert found["label"] == 7
    assert np.ndim(found["label"]) == 0
    np.testing.assert_array_equal(found["grid"], values["grid"])
    found["grid"][0, 0] = 5  # arrays can be written to


def test_bytes_are_decoded_by_their_encoding_or_left_alone():
    raw = np.arange(12, dtype=np.uint16).reshape(3, 4)
    features = [
        Feature("raw", "bytes", (), "raw", raw_dtype="uint16", raw_shape=(3, 4)),
        Feature("text", "bytes", (), "utf8"),
        Feature("blob", "bytes", ()),
    ]
    values = {"raw": raw, "text": "grün", "blob": b"\x00\xff"}
    found = decode(values, *features)
    np.testing.assert_array_equal(found["raw"], raw)
    assert (found["text"], found["blob"]) == ("grün", b"\x00\xff")
    assert decode(values, *features, decode=False)["raw"] == raw.tobytes()


def test_a_list_of_texts_keeps_its_length():
    found = decode({"words": ["a", "bc"]}, Feature("words", "bytes", (None,), "utf8"))
    assert found["words"].tolist() == ["a", "bc"]


def test_a_missing_feature_is_named():
    with pytest.raises(DataLoss, match="lacks the feature 'label'"):
        decode({"other": 1}, Feature("label", "int64", ()))


def test_a_record_of_another_shape_is_named():
    with pytest.raises(DataLoss, match="holds 3 values of 'box'"):
        decode({"box": np.zeros(3, np.float32)}, Feature("box", "float32", (4,)))


def test_an_unknown_encoding_is_read_only_as_it_is():
    feature = Feature("x", "bytes", (), "zstd")
    with pytest.raises(InvalidArgument, match="decode=False"):
        decode({"x": b"1"}, feature)
    assert decode({"x": b"1"}, feature, decode=False)["x"] == b"1"


def test_garbage_is_data_loss():
    with pytest.raises(DataLoss, match=r"no tf\.train\.Example"):
        decode_example(memoryview(b"\xff\xff\xff"), {})
