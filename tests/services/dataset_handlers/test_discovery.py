"""Handlers are found in the stock and in a foreign module."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataset_handlers.discovery import find_handlers
from dataset_handlers.errors import HandlerError

HANDLER = """
from dataset_handlers import DatasetHandler

class {name}(DatasetHandler):
    def samples(self):
        return []
    def examples(self, sample, rng):
        return []
"""


@pytest.fixture(autouse=True)
def _clean_imports() -> Iterator[None]:
    modules, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith("found_"):
            del sys.modules[name]


def test_the_stock_handlers_are_there() -> None:
    assert sorted(find_handlers("stock")) == ["coco", "compositing", "duts", "images", "inpainting"]


def test_a_module_gives_the_handlers_that_it_defines(tmp_path: Path) -> None:
    (tmp_path / "found_one.py").write_text(
        HANDLER.format(name="StreetHandler") + "from dataset_handlers.stock_images import ImagesHandler\n"
    )
    assert list(find_handlers("mine", "found_one", str(tmp_path))) == ["street"]


def test_a_package_gives_those_of_its_modules(tmp_path: Path) -> None:
    package = tmp_path / "found_package"
    package.mkdir()
    (package / "streets.py").write_text(HANDLER.format(name="Street"))
    (package / "__init__.py").write_text("from .streets import Street\nfrom .streets import Street as Again\n")
    assert list(find_handlers("mine", "found_package", str(tmp_path))) == ["street"]


def test_a_module_without_handlers_is_explained(tmp_path: Path) -> None:
    (tmp_path / "found_none.py").write_text("x = 1\n")
    with pytest.raises(HandlerError, match="found_none defines no handler"):
        find_handlers("mine", "found_none", str(tmp_path))


def test_two_handlers_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "found_two.py").write_text(HANDLER.format(name="Street") + HANDLER.format(name="StreetHandler"))
    with pytest.raises(HandlerError, match="two handlers named 'street'"):
        find_handlers("mine", "found_two", str(tmp_path))


def test_a_foreign_repository_must_name_its_module() -> None:
    with pytest.raises(HandlerError, match="needs the name of its module"):
        find_handlers("mine")
