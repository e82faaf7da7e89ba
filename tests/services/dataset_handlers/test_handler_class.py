"""What is a handler, what it is called, and how the seed's classes are understood."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataset_handlers.errors import BadConfig, HandlerError, RawMissing
from dataset_handlers.handler import DatasetHandler
from dataset_handlers.handler_class import (
    description_of,
    is_handler,
    make_handler,
    name_of,
    options_of,
    style_of,
)
from dataset_handlers.options import Integer


class StreetPhotosHandler(DatasetHandler):
    """Streets.

    And more about them.
    """

    @classmethod
    def config_options(cls) -> Any:
        return {"image_size": 64, "seed": Integer(7)}

    def samples(self) -> Any:
        return []

    def examples(self, sample: Any, rng: Any) -> Any:
        return []


class OwnFiles(DatasetHandler):
    """Writes its own files."""

    def as_tfrecord(self, *_: Any, **__: Any) -> list[str]:
        return []


class Seed:
    """In the seed's style: it extends nothing."""

    def __init__(self, config: dict[str, Any], base_data_path: str) -> None:
        self.config, self.base_data_path = config, base_data_path

    def config_options(self) -> dict[str, Any]:
        return {"image_size": [64, 64], "batch_size": 10}

    def as_tfrecord(self) -> list[str]:
        return []


def test_handlers_are_told_from_other_classes() -> None:
    class Half(DatasetHandler):
        def samples(self) -> Any:
            return []

    assert [is_handler(each) for each in (StreetPhotosHandler, OwnFiles, Seed)] == [True] * 3
    assert [is_handler(each) for each in (DatasetHandler, Half, int, 3, object())] == [False] * 5


def test_styles_are_told_apart() -> None:
    assert [style_of(each) for each in (StreetPhotosHandler, OwnFiles, Seed)] == ["samples", "records", "records"]


@pytest.mark.parametrize(
    ("class_name", "name"),
    [
        ("StreetPhotosHandler", "street_photos"),
        ("COCOHandler", "coco"),
        ("Duts", "duts"),
        ("MyHTTPThing2Handler", "my_http_thing2"),
        ("DatasetHandler", "dataset_handler"),
        ("Handler", "handler"),
    ],
)
def test_a_handler_is_named_after_its_class(class_name: str, name: str) -> None:
    assert name_of(type(class_name, (), {})) == name


def test_a_name_of_its_own_wins() -> None:
    assert name_of(type("X", (), {"name": "own"})) == "own"
    assert description_of(StreetPhotosHandler) == "Streets."


def test_the_base_class_adds_its_options_and_the_handler_may_replace_them() -> None:
    options = options_of(StreetPhotosHandler)
    assert list(options) == ["image_size", "seed", "splits", "variations_per_sample", "max_bad_fraction"]
    assert options["seed"].default == 7
    assert list(options_of(Seed)) == ["image_size", "batch_size"]
    assert list(options_of(OwnFiles)) == []


@pytest.mark.parametrize("kind", ["method", "classmethod", "staticmethod", "property", "attribute", "cached on self"])
def test_options_may_be_declared_in_any_way(kind: str) -> None:
    declaration = {"a": 1}
    methods: dict[str, Any] = {
        "method": lambda self: declaration,
        "classmethod": classmethod(lambda cls: declaration),
        "staticmethod": staticmethod(lambda: declaration),
        "property": property(lambda self: declaration),
        "attribute": declaration,
        "cached on self": lambda self: self.__dict__.setdefault("known", declaration),
    }
    made = type("Any", (Seed,), {"config_options": methods[kind]})
    assert options_of(made)["a"].default == 1


def test_options_that_need_a_ready_instance_are_explained() -> None:
    made = type("Needy", (Seed,), {"config_options": lambda self: {"a": self.config["a"]}})
    with pytest.raises(HandlerError, match="a classmethod would do"):
        options_of(made)


def test_a_handler_of_the_seed_gets_a_folder_and_every_option(tmp_path: Path) -> None:
    handler = make_handler(Seed, {"image_size": [32, 32]}, {"photos": str(tmp_path)})
    assert handler.base_data_path == str(tmp_path)
    assert handler.config == {"image_size": [32, 32], "batch_size": 10}


def test_a_handler_with_two_roles_gets_two_folders(tmp_path: Path) -> None:
    class Two(StreetPhotosHandler):
        roles = ("foregrounds", "backgrounds")

    folders = {role: tmp_path / role for role in Two.roles}
    for folder in folders.values():
        folder.mkdir()
    handler = make_handler(Two, {}, {role: str(folder) for role, folder in folders.items()})
    assert handler.raw_data_paths == folders
    assert handler.raw_data_path == folders["foregrounds"]
    assert Two({}, tmp_path).raw_data_paths == folders


def test_a_missing_folder_is_named_with_its_role(tmp_path: Path) -> None:
    with pytest.raises(RawMissing, match="the role 'photos' has no raw dataset"):
        make_handler(Seed, {}, {"pictures": str(tmp_path)})
    with pytest.raises(RawMissing, match=r"nowhere \(role 'photos'\) is not there"):
        make_handler(Seed, {}, {"photos": str(tmp_path / "nowhere")})


def test_the_check_runs_before_anything_else(tmp_path: Path) -> None:
    class Strict(StreetPhotosHandler):
        def check(self) -> None:
            self.refuse("image_size", "is never right")

    with pytest.raises(BadConfig, match=r"config.image_size: is never right"):
        make_handler(Strict, {}, {"photos": str(tmp_path)})
