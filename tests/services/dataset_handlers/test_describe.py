"""A description is plain data, and holds all that refusing a wrong request needs."""

from __future__ import annotations

import json
import platform
import sys
from typing import Any

import pytest

import dataset_handlers
from dataset_handlers.declaration import normalise_config
from dataset_handlers.describe import describe, describe_handler
from dataset_handlers.discovery import find_handlers
from dataset_handlers.errors import BadConfig
from dataset_handlers.handler_class import options_of
from dataset_handlers.schema import normalise
from dataset_handlers.stock_images import ImagesHandler


def test_the_stock_is_described_as_plain_data() -> None:
    description = describe(find_handlers("stock"))
    assert json.loads(json.dumps(description)) == description
    assert description["dataset_handlers_version"] == dataset_handlers.__version__
    assert description["platform"] == {
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "os": platform.system().lower(),
        "arch": platform.machine(),
    }
    inpainting = description["handlers"]["inpainting"]
    assert inpainting["roles"] == ["photos"]
    assert inpainting["style"] == "samples"
    assert inpainting["description"].startswith("Photos with seeded masks")


@pytest.mark.parametrize("handler", sorted(find_handlers("stock")))
def test_every_stock_option_says_what_it_does(handler: str) -> None:
    for option in describe_handler(find_handlers("stock")[handler])["options"]:
        assert option["description"], option["name"]
        assert option["constraint"], option["name"]
        assert option["type"] == option["schema"]["type"]
        assert normalise(option["schema"], option["default"], "x") == option["default"]


@pytest.mark.parametrize("handler", sorted(find_handlers("stock")))
def test_an_example_config_is_accepted(handler: str) -> None:
    handler_class = find_handlers("stock")[handler]
    example = describe_handler(handler_class)["example_config"]
    assert example
    normalise_config(options_of(handler_class), example)


def test_a_wrong_example_config_is_its_authors_mistake() -> None:
    class Wrong(ImagesHandler):
        example_config: Any = {"image_sise": 3}  # noqa: RUF012

    with pytest.raises(BadConfig, match=r"config\.image_sise"):
        describe_handler(Wrong)


def test_only_the_batch_size_is_for_the_reader() -> None:
    options = describe_handler(ImagesHandler)["options"]
    assert [option["name"] for option in options if option["read_time"]] == ["batch_size"]
