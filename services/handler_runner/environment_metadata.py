"""What a handler repository says of itself, read without running any of its code."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from dataset_handlers.errors import HandlerError
from dataset_handlers.local_module import local_module
from handler_runner.environment_failed import failed
from handler_runner.environment_setup_py import read_setup_cfg, read_setup_py

_FILE_BYTES = 1024 * 1024
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_VERSION = re.compile(r"\d+(\.\d+)*")
_KNOWN = ("module", "python", "build")


@dataclass(frozen=True)
class Declared:
    """A repository's static metadata.

    ``requirements`` and ``build`` (packages to be built from source) are lines as they were written; ``python`` is a
    specifier, empty: any; ``module`` is imported from ``folder``. ``dynamic`` says why the requirements cannot be
    known without running code; empty: they are known.
    """

    folder: Path
    module: str
    python: str = ""
    requirements: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    dynamic: str = ""


def read_metadata(root: Path) -> Declared:
    """Return what the repository in ``root`` declares. Raises `WorkFailed` (ENVIRONMENT) that names the file."""
    pyproject = _toml(root / "pyproject.toml")
    tool = _table(pyproject, "tool")
    ours = _table(tool, "darkroom", "[tool.darkroom]")
    if unknown := sorted(set(ours) - set(_KNOWN)):
        raise failed(
            f"[tool.darkroom] in pyproject.toml has {', '.join(map(repr, unknown))}; it may have {', '.join(_KNOWN)}."
        )
    folder, module = _module(root, ours.get("module"))
    declared = Declared(folder, module, build=_lines(ours.get("build", []), "[tool.darkroom] build"))
    declared = _required(root, declared, pyproject)
    own = ours.get("python", "")
    if not isinstance(own, str):
        raise failed('[tool.darkroom] python in pyproject.toml must be text, for example "3.11" or ">=3.9,<3.12".')
    specifiers = [f"=={own}.*" if _VERSION.fullmatch(own) else own, declared.python]
    return replace(declared, python=_specifier(",".join(filter(None, specifiers))))


def _required(root: Path, declared: Declared, pyproject: Mapping[str, Any]) -> Declared:
    project = pyproject.get("project")
    if isinstance(project, dict):
        python = project.get("requires-python", "")
        if "dependencies" in project.get("dynamic", []):
            return replace(declared, python=python, dynamic="pyproject.toml declares its dependencies as dynamic")
        lines = _lines(project.get("dependencies", []), "[project] dependencies")
        return replace(declared, python=python, requirements=lines)
    if "poetry" in pyproject.get("tool", {}):
        return replace(declared, dynamic="pyproject.toml has its dependencies in Poetry's own table")
    if (root / "requirements.txt").is_file():
        return replace(declared, requirements=_requirements_txt(_read(root / "requirements.txt")))
    for name, read in (("setup.cfg", read_setup_cfg), ("setup.py", read_setup_py)):
        if (root / name).is_file():
            found = read(_read(root / name))
            if found is not None:
                return replace(declared, python=found.python, requirements=found.requirements, dynamic=found.dynamic)
    return declared


def _module(root: Path, named: Any) -> tuple[Path, str]:
    """Return the folder to import from, and the module."""
    if named is not None and (not isinstance(named, str) or not _MODULE.fullmatch(named)):
        raise failed(f"[tool.darkroom] module in pyproject.toml is {named!r}; the name of a module would do.")
    try:
        return local_module(root, named or "")
    except HandlerError as error:
        # The checkout's own place tells nobody anything.
        raise failed(str(error).replace(str(root), "the repository")) from None


def _requirements_txt(text: str) -> tuple[str, ...]:
    lines = []
    for line in text.replace("\\\n", " ").splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        # A hash pins what the lock pins anyway.
        line = re.sub(r"\s--hash[= ]\S+", "", line).strip()
        if line.startswith("-"):
            raise failed(
                f"requirements.txt has the option {line!r}; only requirements can be read, one a line: write those of "
                "other files here, and leave indexes to the runner's operator."
            )
        if line:
            lines.append(line)
    return tuple(lines)


def _specifier(text: str) -> str:
    try:
        return str(SpecifierSet(text))
    except InvalidSpecifier:
        raise failed(f'{text!r} says no Python versions; for example ">=3.9,<3.12" would do.') from None


def _toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(_read(path))
    except tomllib.TOMLDecodeError as error:
        raise failed(f"pyproject.toml cannot be read: {error}.") from error


def _read(path: Path) -> str:
    if path.stat().st_size > _FILE_BYTES:
        raise failed(f"{path.name} has more than {_FILE_BYTES} bytes; that is no list of requirements.")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise failed(f"{path.name} is no UTF-8 text.") from None


def _table(parent: Mapping[str, Any], name: str, called: str = "") -> dict[str, Any]:
    table = parent.get(name, {})
    if not isinstance(table, dict):
        raise failed(f"{called or f'[{name}]'} in pyproject.toml must be a table.")
    return table


def _lines(value: Any, called: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
        raise failed(f"{called} in pyproject.toml must be a list of requirements as text.")
    return tuple(value)
