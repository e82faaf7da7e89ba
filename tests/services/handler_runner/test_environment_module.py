"""The module with the handlers is the one that stands out."""

from __future__ import annotations

import pytest

from handler_runner.environment_module import NoModule, find_module, has_module


def test_the_one_module_is_found_beside_tests_and_setup(tmp_path):
    for name in ("my_handlers.py", "setup.py", "conftest.py", "test_my_handlers.py"):
        (tmp_path / name).touch()
    (tmp_path / "docs").mkdir()
    assert find_module(tmp_path) == "my_handlers"


def test_one_named_for_handlers_stands_out(tmp_path):
    for name in ("train.py", "dataset_handlers_street.py"):
        (tmp_path / name).touch()
    assert find_module(tmp_path) == "dataset_handlers_street"


def test_none_and_several_are_named(tmp_path):
    with pytest.raises(NoModule, match="none"):
        find_module(tmp_path)
    for name in ("b.py", "a.py"):
        (tmp_path / name).touch()
    with pytest.raises(NoModule, match="a, b") as caught:
        find_module(tmp_path)
    assert caught.value.found == ["a", "b"]


def test_a_module_may_be_dotted(tmp_path):
    (tmp_path / "pack" / "inner").mkdir(parents=True)
    (tmp_path / "pack" / "one.py").touch()
    assert has_module(tmp_path, "pack.one")
    assert has_module(tmp_path, "pack.inner")
    assert not has_module(tmp_path, "pack.other")
