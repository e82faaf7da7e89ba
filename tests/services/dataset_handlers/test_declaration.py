"""What config_options() may return, and what a config is checked for."""

from __future__ import annotations

from typing import Any

import pytest

from dataset_handlers.declaration import declared, normalise_config
from dataset_handlers.errors import BadConfig, HandlerError
from dataset_handlers.options import Integer, Size


def test_a_plain_default_declares_its_type() -> None:
    options = declared({"a": True, "b": 1, "c": 1.5, "d": "x", "e": [1, 2], "f": None, "g": {"x": 1}})
    types = {name: option.schema["type"] for name, option in options.items()}
    assert types == {
        "a": "boolean",
        "b": "integer",
        "c": "number",
        "d": "string",
        "e": "list",
        "f": "any",
        "g": "object",
    }
    assert normalise_config(options, {}) == {
        "a": True, "b": 1, "c": 1.5, "d": "x", "e": [1, 2], "f": None, "g": {"x": 1},
    }  # fmt: skip


def test_a_list_of_options_or_pairs_will_do() -> None:
    options = declared([Integer(1, name="a"), ("b", 2), ("c", Size([1, 1]))])
    assert {name: option.name for name, option in options.items()} == {"a": "a", "b": "b", "c": "c"}


@pytest.mark.parametrize(
    "declaration", [None, 3, ["a"], [Integer(1)], {"no name": 1}, {"a": object()}, {"a": float("nan")}]
)
def test_another_declaration_is_the_handlers_mistake(declaration: Any) -> None:
    with pytest.raises(HandlerError, match=r"would do|must be|declare an Option"):
        declared(declaration)


def test_an_unknown_option_is_refused_with_a_hint_and_the_valid_ones() -> None:
    options = declared({"image_size": 1, "crop_size": 2})
    with pytest.raises(BadConfig) as caught:
        normalise_config(options, {"image_sise": 3})
    assert caught.value.violations == [
        ("config.image_sise", "no such option. Did you mean 'image_size'? Valid: crop_size, image_size")
    ]


def test_everything_wrong_is_named_at_once() -> None:
    options = declared({"a": Integer(), "b": Integer(1), "c": 1})
    with pytest.raises(BadConfig) as caught:
        normalise_config(options, {"b": "x", "zzz": 1})
    assert [violation.field for violation in caught.value.violations] == ["config.zzz", "config.a", "config.b"]


def test_a_build_does_not_need_what_only_the_reader_will_say() -> None:
    options = declared({"batch_size": Integer(read_time=True)})
    assert normalise_config(options, {}) == {"batch_size": None}
    assert normalise_config(options, {"batch_size": 100.0}) == {"batch_size": 100}
