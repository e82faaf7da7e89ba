"""Config values have one normal form each, and a refusal says what would do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_handlers.errors import BadConfig
from dataset_handlers.schema import MAX_INTEGER, constraint, normalise

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("schema", "value", "normal"),
    [
        ({"type": "integer"}, 256, 256),
        ({"type": "integer"}, 256.0, 256),
        ({"type": "number"}, 1, 1.0),
        ({"type": "boolean"}, True, True),
        ({"type": "size"}, [256, 512.0], [256, 512]),
        ({"type": "size"}, (256, 512), [256, 512]),
        ({"type": "size"}, 64, [64, 64]),
        ({"type": "size"}, "256x512", [256, 512]),
        ({"type": "size", "nullable": True}, None, None),
        ({"type": "list", "items": {"type": "size"}}, [1, "2x3"], [[1, 1], [2, 3]]),
        ({"type": "object", "keys": {"type": "number"}}, {"b": 1, "a": 2}, {"a": 2.0, "b": 1.0}),
        ({"type": "any"}, {"x": [1.0, None]}, {"x": [1, None]}),
        ({"type": "integer", "choices": [1, 2]}, 2.0, 2),
    ],
)
def test_a_value_gets_its_normal_form(schema: Any, value: Any, normal: Any) -> None:
    assert normalise(schema, value, "config.x") == normal


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, True),
        ({"type": "integer"}, 1.5),
        ({"type": "integer"}, "1"),
        ({"type": "integer"}, 2**53),
        ({"type": "integer"}, float("inf")),
        ({"type": "integer", "minimum": 1}, 0),
        ({"type": "integer", "maximum": 3}, 4),
        ({"type": "number"}, float("nan")),
        ({"type": "number", "exclusive_minimum": 0}, 0),
        ({"type": "boolean"}, 1),
        ({"type": "string"}, 1),
        ({"type": "string", "choices": ["a", "b"]}, "c"),
        ({"type": "size"}, [1, 2, 3]),
        ({"type": "size"}, [0, 2]),
        ({"type": "size"}, "256"),
        ({"type": "size"}, True),
        ({"type": "size"}, None),
        ({"type": "list", "min_items": 1}, []),
        ({"type": "list", "max_items": 1}, [1, 2]),
        ({"type": "list"}, "abc"),
        ({"type": "object"}, []),
        ({"type": "any"}, {1, 2}),
    ],
)
def test_a_wrong_value_is_refused_by_its_path(schema: Any, value: Any) -> None:
    with pytest.raises(BadConfig) as caught:
        normalise(schema, value, "config.x")
    assert caught.value.violations[0].field == "config.x"


def test_every_wrong_item_is_named() -> None:
    with pytest.raises(BadConfig) as caught:
        normalise({"type": "list", "items": {"type": "integer"}}, [1, "a", 2, None], "config.x")
    assert [violation.field for violation in caught.value.violations] == ["config.x[1]", "config.x[3]"]


def test_a_refusal_says_what_was_received_and_what_would_do() -> None:
    with pytest.raises(BadConfig, match=r"config.q: 0 is not a whole number from 1 to 100"):
        normalise({"type": "integer", "minimum": 1, "maximum": 100}, 0, "config.q")


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "size"}, "[height, width], whole numbers of pixels at least 1"),
        (
            {"type": "size", "maximum": 9, "nullable": True},
            "[height, width], whole numbers of pixels from 1 to 9 or null",
        ),
        ({"type": "string", "choices": ["a", "b"]}, "one of a, b"),
        ({"type": "number", "exclusive_minimum": 0, "maximum": 1}, "a number above 0 and at most 1"),
        (
            {"type": "list", "items": {"type": "boolean"}, "min_items": 2, "max_items": 2},
            "a list of 2, each true or false",
        ),
        ({"type": "object", "keys": {"type": "number", "minimum": 0}}, "an object, each value a number at least 0"),
        ({"type": "any", "nullable": True}, "any value"),
    ],
)
def test_a_constraint_reads_as_english(schema: Any, words: str) -> None:
    assert constraint(schema) == words


@given(JSON)
def test_normalising_twice_changes_nothing(value: Any) -> None:
    once = normalise({"type": "any"}, value, "x")
    assert normalise({"type": "any"}, json.loads(json.dumps(once)), "x") == once
