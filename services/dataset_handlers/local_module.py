"""Which module of a repository's folder holds its handlers: the one that is named, else the only one there."""

from __future__ import annotations

from pathlib import Path
from typing import List, Tuple

from dataset_handlers.errors import HandlerError

_NO_HANDLERS = ("conftest", "noxfile", "setup", "tasks", "test", "tests")


def local_module(folder: Path, named: str = "") -> Tuple[Path, str]:
    """Returns the folder to import from (``src`` in ``folder`` goes before itself), and the module.

    Raises ``HandlerError`` where there is none, or several and none is named ``dataset_handlers_*``.
    """
    folders = [place for place in (folder / "src", folder) if place.is_dir()]
    found: List[str] = []
    for place in folders:
        names = _modules(place)
        if named:
            if _holds(place, named):
                return place, named
            found += names
            continue
        best = [name for name in names if name.startswith("dataset_handlers_")]
        if len(names) == 1 or len(best) == 1:
            return place, best[0] if len(best) == 1 else names[0]
        found += names
    if named:
        raise HandlerError(f"{folder} has no module {named!r}, nor has src in it; it has {', '.join(found) or 'none'}")
    raise HandlerError(
        f"{folder} must hold one Python module or package with handlers, or pyproject.toml must name it: "
        f'`module = "NAME"` under [tool.darkroom]. It holds {", ".join(found) or "none"}'
    )


def _modules(folder: Path) -> List[str]:
    names = {
        path.stem
        for path in folder.iterdir()
        if (path.suffix == ".py" and path.is_file()) or (path / "__init__.py").is_file()
    }
    return sorted(
        name for name in names if name.isidentifier() and name not in _NO_HANDLERS and not name.startswith("test_")
    )


def _holds(folder: Path, module: str) -> bool:
    path = folder.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or path.is_dir()
