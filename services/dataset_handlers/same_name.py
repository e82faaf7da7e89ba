"""Loads a repository whose package is itself called ``dataset_handlers``, as those of the original system are."""

from __future__ import annotations

import filecmp
import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Set

from dataset_handlers.errors import HandlerError

NAME = "dataset_handlers"
_OURS = os.path.dirname(os.path.abspath(__file__))


def load_same_name(path: str) -> ModuleType:
    """Puts the package in the folder ``path`` in the place of ours, which goes on behind it.

    A name that theirs lacks, and a module, is looked for in ours. Raises ``HandlerError`` if both have a module of one
    name that differs.
    """
    folder = os.path.join(os.path.abspath(path), NAME)
    ours = sys.modules[NAME]
    if os.path.dirname(os.path.abspath(ours.__file__ or "")) == folder:
        return ours
    file = os.path.join(folder, "__init__.py")
    if not os.path.isfile(file):
        raise HandlerError(f"{folder} has no __init__.py; a package that defines the handlers would do")
    _refuse_twins(folder)
    spec = spec_from_file_location(NAME, file, submodule_search_locations=[folder, *ours.__path__])
    if spec is None or spec.loader is None:
        raise HandlerError(f"{file} cannot be imported")
    theirs = module_from_spec(spec)
    theirs.__dict__["__getattr__"] = lambda name: getattr(ours, name)
    sys.modules[NAME] = theirs
    try:
        spec.loader.exec_module(theirs)
    except BaseException:
        sys.modules[NAME] = ours
        raise
    return theirs


def _refuse_twins(folder: str) -> None:
    twins = sorted(name for name in _modules(folder) & _modules(_OURS) if not _equal(folder, name))
    if twins:
        raise HandlerError(
            "the package dataset_handlers of this repository and Darkroom's own package of that name both have "
            f"{', '.join(twins)}; another name for these modules, or for the whole package, would do"
        )


def _modules(folder: str) -> Set[str]:
    found = set()
    for entry in os.scandir(folder):
        name, extension = os.path.splitext(entry.name)
        if entry.is_dir() and entry.name.isidentifier() and not entry.name.startswith("__"):
            found.add(entry.name)
        elif extension == ".py" and name not in ("__init__", "__main__"):
            found.add(name)
    return found


def _equal(folder: str, name: str) -> bool:
    theirs, ours = (os.path.join(parent, f"{name}.py") for parent in (folder, _OURS))
    return os.path.isfile(theirs) and os.path.isfile(ours) and filecmp.cmp(theirs, ours, shallow=False)
