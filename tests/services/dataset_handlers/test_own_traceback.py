"""A traceback begins at the author's own line, whoever called it and whatever wrapped the error since."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from dataset_handlers.errors import HandlerError
from dataset_handlers.own_traceback import own_traceback

AUTHOR = """
import json

def fail():
    return json.loads("{")

def wrap():
    try:
        fail()
    except ValueError as error:
        raise KeyError("wrapped") from error
"""


@pytest.fixture
def author(tmp_path: Path) -> ModuleType:
    (tmp_path / "author.py").write_text(AUTHOR)
    spec = importlib.util.spec_from_file_location("author_of_a_handler", tmp_path / "author.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_begins_in_the_folder_and_goes_on_where_that_led(author: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(HandlerError) as caught:
        try:
            author.fail()
        except ValueError as error:
            raise HandlerError("examples() of sample 'a'") from error
    lines = own_traceback(caught.value, str(tmp_path)).splitlines()
    assert lines[:2] == ["Traceback (most recent call last):", f'  File "{tmp_path}/author.py", line 5, in fail']
    assert any("decoder.py" in line for line in lines)
    assert lines[-1].startswith("json.decoder.JSONDecodeError: ")
    assert __file__ not in "".join(lines)


def test_the_first_cause_is_shown_and_not_what_was_made_of_it(author: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(KeyError) as caught:
        author.wrap()
    assert "JSONDecodeError" in own_traceback(caught.value, str(tmp_path))
    assert "wrapped" not in own_traceback(caught.value, str(tmp_path))


def test_an_error_of_others_has_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as caught:
        int("x")
    assert own_traceback(caught.value, str(tmp_path)) == ""
