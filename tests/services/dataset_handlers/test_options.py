"""Options carry a schema of plain data, and their defaults are checked when they are declared."""

from __future__ import annotations

import json

import pytest

from dataset_handlers.errors import BadConfig
from dataset_handlers.options import (
    Boolean,
    Choice,
    InputAttributes,
    Integer,
    List,
    Number,
    Object,
    Option,
    Size,
    String,
)


def test_a_schema_is_plain_json() -> None:
    options: list[Option] = [
        Option(None),
        Integer(1, minimum=0, maximum=9),
        Number(exclusive_minimum=0),
        Boolean(False),
        String("a"),
        Choice(["a", "b"], "a"),
        Size(None, maximum=512),
        List(Size(), [[1, 2]], min_items=1),
        Object(Number(minimum=0), {"train": 1}),
        InputAttributes(["image", "mask"], ["image"]),
    ]
    for option in options:
        assert json.loads(json.dumps(option.schema)) == option.schema
        assert option.schema["type"] == option.type_name


def test_a_default_of_none_makes_an_option_nullable() -> None:
    assert Size(None).normalise(None, "config.crop_size") is None
    with pytest.raises(BadConfig):
        Size([1, 1]).normalise(None, "config.crop_size")
    assert Size([1, 1], nullable=True).normalise(None, "config.crop_size") is None


def test_an_option_without_a_default_is_required() -> None:
    assert Integer().required
    assert not Integer(None).required


def test_a_default_is_normalised_and_checked() -> None:
    assert Size("2x3").default == [2, 3]
    with pytest.raises(BadConfig):
        Integer(0, minimum=1)
    with pytest.raises(BadConfig):
        InputAttributes(["image"], ["imag"])


def test_input_attributes_name_the_valid_ones() -> None:
    with pytest.raises(BadConfig, match=r"config.input_attributes\[1\]: 'depth' is not one of image, mask"):
        InputAttributes(["image", "mask"], ["image"]).normalise(["image", "depth"], "config.input_attributes")
