"""A config leaves as plain JSON, or what JSON cannot hold is named by its path."""

import datetime
import json

import numpy as np
import pytest

from darkroom_client import InvalidArgument
from darkroom_client.dataset_config import config_json


def test_tuples_and_numpy_values_become_plain_json():
    config = {"size": (1, 2), "n": np.int64(3), "f": np.float32(0.5), "a": np.arange(2), "s": "ü", "b": None}
    expected = {"size": [1, 2], "n": 3, "f": 0.5, "a": [0, 1], "s": "ü", "b": None}
    assert json.loads(config_json(config)) == expected


def test_no_config_is_an_empty_object():
    assert config_json(None) == config_json({}) == "{}"


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"a": [1, float("nan")]}, "config.a[1]"),
        ({"a": {"b": datetime.date(2024, 1, 1)}}, "config.a.b"),
        ({"a": {1: 2}}, "config.a"),
        ({"a": float("inf")}, "config.a"),
    ],
)
def test_what_json_cannot_hold_is_named_by_its_path(config, path):
    with pytest.raises(InvalidArgument) as caught:
        config_json(config)
    assert caught.value.violations[0].field == path
