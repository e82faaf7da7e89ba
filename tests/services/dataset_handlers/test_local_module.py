"""The module with the handlers is the one that is named, or the only one there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_handlers.errors import HandlerError
from dataset_handlers.local_module import local_module


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


@pytest.mark.parametrize(
    ("files", "named", "place", "module"),
    [
        (["edges.py", "tests/test_edges.py", "conftest.py", "test_it.py", "setup.py"], "", ".", "edges"),
        (["edges/__init__.py", "scripts/run.py"], "", ".", "edges"),
        (["src/edges/__init__.py", "tools.py"], "", "src", "edges"),
        (["tools.py", "dataset_handlers_street.py"], "", ".", "dataset_handlers_street"),
        (["one.py", "two.py"], "two", ".", "two"),
        (["one.py", "src/inner/__init__.py", "src/inner/deep.py"], "inner.deep", "src", "inner.deep"),
    ],
)
def test_it_is_found(files: list[str], named: str, place: str, module: str, tmp_path: Path) -> None:
    write(tmp_path, *files)
    assert local_module(tmp_path, named) == (tmp_path / place, module)


@pytest.mark.parametrize(
    ("files", "named", "said"),
    [
        (["one.py", "two.py"], "", r"\[tool.darkroom\]. It holds one, two"),
        (["README.md"], "", "It holds none"),
        (["one.py"], "three", "has no module 'three'.*; it has one"),
    ],
)
def test_doubt_says_what_is_there_and_what_would_do(files: list[str], named: str, said: str, tmp_path: Path) -> None:
    write(tmp_path, *files)
    with pytest.raises(HandlerError, match=said):
        local_module(tmp_path, named)
