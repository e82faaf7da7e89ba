"""Which module of a folder holds the handlers: its one top-level module or package."""

from __future__ import annotations

from pathlib import Path

_NO_HANDLERS = ("conftest", "setup", "test", "tests", "noxfile", "tasks")


class NoModule(Exception):
    """The folder holds none, or several; ``found`` names them."""

    def __init__(self, found: list[str]) -> None:
        super().__init__(", ".join(found) or "none")
        self.found = found


def find_module(folder: Path) -> str:
    """Return the one module or package in ``folder``, else the one named ``dataset_handlers_*``. Raises `NoModule`."""
    names = sorted(
        {
            path.stem
            for path in folder.iterdir()
            if (path.suffix == ".py" and path.is_file()) or (path / "__init__.py").is_file()
        }
    )
    names = [name for name in names if name.isidentifier() and name not in _NO_HANDLERS and name[:5] != "test_"]
    named = [name for name in names if name.startswith("dataset_handlers_")]
    if len(names) != 1 and len(named) != 1:
        raise NoModule(names)
    return named[0] if len(named) == 1 else names[0]


def has_module(folder: Path, module: str) -> bool:
    """Whether ``folder`` holds that module or package, dotted or not."""
    path = folder.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or path.is_dir()
