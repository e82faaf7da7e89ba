"""A repository whose package is called `dataset_handlers`, too, is loaded in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SEED = '''
"""A handler in the style of the original system."""
import os
from dataset_handlers.words import GREETING
from .deep.inner import VALUE

class DatasetHandler:
    """Writes its own files."""

    def __init__(self, config, base_data_path):
        self.config = config

    def config_options(self):
        return {"size": 8}

    def as_tfrecord(self):
        return [GREETING, VALUE]
'''
FIND = """
import json, sys
from dataset_handlers.discovery import find_handlers
handlers = find_handlers("seed", "dataset_handlers", sys.argv[1])
assert find_handlers("seed", "dataset_handlers", sys.argv[1]) == handlers
from dataset_handlers.describe import describe
from dataset_handlers import DatasetHandler, Integer, commands
import dataset_handlers.options
described = describe(handlers)["handlers"]
made = {name: handler({}, ".").as_tfrecord() for name, handler in handlers.items()}
print(json.dumps([made, described["dataset_handler"]["style"], DatasetHandler.__module__, Integer.__module__]))
"""


def find(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", FIND, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    package = tmp_path / "dataset_handlers"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text(SEED)
    (package / "words.py").write_text("GREETING = 'hello'\n")
    (package / "deep" / "__init__.py").touch()
    (package / "deep" / "inner.py").write_text("from ..words import GREETING\nVALUE = GREETING.upper()\n")
    return tmp_path


def test_their_package_is_loaded_and_ours_goes_on_behind_it(seed: Path) -> None:
    found = find(seed)
    assert found.returncode == 0, found.stderr
    made, style, their_home, our_home = json.loads(found.stdout)
    assert made == {"dataset_handler": ["hello", "HELLO"]}
    assert style == "records"
    assert their_home == "dataset_handlers"
    assert our_home == "dataset_handlers.options"


def test_a_module_that_both_have_is_named(seed: Path) -> None:
    (seed / "dataset_handlers" / "options.py").write_text("x = 1\n")
    (seed / "dataset_handlers" / "masks.py").write_text("x = 1\n")
    found = find(seed)
    assert "both have masks, options; another name for these modules, or for the whole package, would do" in (
        found.stderr
    )


def test_a_copy_of_our_module_is_no_conflict(seed: Path) -> None:
    import dataset_handlers

    text = (Path(dataset_handlers.__file__).parent / "errors.py").read_text()
    (seed / "dataset_handlers" / "errors.py").write_text(text)
    assert find(seed).returncode == 0


def test_a_package_that_fails_shows_its_own_error(seed: Path) -> None:
    (seed / "dataset_handlers" / "words.py").write_text("import not_installed_here\n")
    assert "No module named 'not_installed_here'" in find(seed).stderr


def test_a_package_without_init_is_named(seed: Path) -> None:
    (seed / "dataset_handlers" / "__init__.py").unlink()
    assert "has no __init__.py" in find(seed).stderr
