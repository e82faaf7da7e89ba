"""A value to try is one that the option accepts, and not its default."""

from __future__ import annotations

from typing import Any

import pytest

from dataset_handlers.describe import describe_handler
from dataset_handlers.discovery import find_handlers
from dataset_handlers.errors import BadConfig
from dataset_handlers.options import (
    REQUIRED,
    Boolean,
    Choice,
    InputAttributes,
    Integer,
    List,
    Number,
    Option,
    Size,
    String,
)
from dataset_handlers.schema import normalise
from dataset_handlers.stock_images import ImagesHandler
from dataset_handlers.try_value import try_value


@pytest.mark.parametrize(
    ("option", "value"),
    [
        (Boolean(False), True),
        (Boolean(), True),
        (Choice(["a", "b"], "a"), "b"),
        (Choice(["a"], "a"), None),
        (Integer(95, minimum=1, maximum=100), 47),
        (Integer(0, minimum=0), 1),
        (Integer(minimum=7), 8),
        (Integer(None), 1),
        (Number(0, minimum=0, maximum=45), 22.5),
        (Number(0.01, minimum=0, maximum=1), 0.02),
        (Number(exclusive_minimum=1, maximum=1.5), 1.25),
        (Size([256, 256]), [128, 128]),
        (Size(None, maximum=100), [64, 64]),
        (InputAttributes(["image", "mask"], ["image"]), ["mask"]),
        (List(Integer()), None),
        (String("x"), None),
        (Option(), None),
    ],
)
def test_a_value_is_found_where_the_schema_says_enough(option: Option, value: Any) -> None:
    assert try_value(option.schema, None if option.required else option.default) == value


@pytest.mark.parametrize("handler", sorted(find_handlers("stock")))
def test_the_values_of_stock_options_are_accepted_and_new(handler: str) -> None:
    for option in describe_handler(find_handlers("stock")[handler])["options"]:
        if "example" in option:
            assert normalise(option["schema"], option["example"], "x") == option["example"]
            assert option["example"] != option["default"]


def test_an_author_may_say_a_better_one_and_is_told_of_a_wrong_one() -> None:
    class Mine(ImagesHandler):
        example_config: Any = {"jpeg_quality": 80.0}  # noqa: RUF012

        @classmethod
        def config_options(cls) -> Any:
            return {**super().config_options(), "note": String("", example="sunny")}

    examples = {option["name"]: option.get("example") for option in describe_handler(Mine)["options"]}
    assert examples["note"] == "sunny"
    assert examples["jpeg_quality"] == 80
    assert REQUIRED not in examples.values()
    with pytest.raises(BadConfig, match=r"0 is not a whole number at least 1"):
        Integer(1, minimum=1, example=0)
