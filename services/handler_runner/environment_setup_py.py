"""Reads the requirements of an old repository from setup.cfg or setup.py, as text: neither is run."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class SetupRequirements:
    """What a setup file requires; ``dynamic`` says why that cannot be known without running it."""

    python: str = ""
    requirements: tuple[str, ...] = ()
    dynamic: str = ""


def read_setup_cfg(text: str) -> SetupRequirements | None:
    """Return what setup.cfg requires; None if it says nothing of it."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    listed = parser.get("options", "install_requires", fallback=None)
    if listed is None:
        return None
    if listed.strip().startswith("file:"):
        return SetupRequirements(dynamic="setup.cfg reads install_requires from another file")
    lines = tuple(line.strip() for line in listed.splitlines() if line.strip())
    return SetupRequirements(parser.get("options", "python_requires", fallback="").strip(), lines)


def read_setup_py(text: str) -> SetupRequirements:
    """Return what the call of ``setup()`` requires, if it is written out; a name of a list that is counts as well."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return SetupRequirements(dynamic="setup.py is no Python that can be parsed here")
    calls = list(_setup_calls(tree))
    if len(calls) != 1:
        return SetupRequirements(dynamic=f"setup.py calls setup() {len(calls)} times")
    if any(keyword.arg is None for keyword in calls[0].keywords):
        return SetupRequirements(dynamic="setup.py passes setup() a dictionary (**)")
    constants = _constants(tree)
    given = {keyword.arg: keyword.value for keyword in calls[0].keywords}
    try:
        requirements = _value(given.get("install_requires"), constants)
        python = _value(given.get("python_requires"), constants)
    except ValueError:
        return SetupRequirements(dynamic="setup.py computes install_requires or python_requires")
    lines = requirements.splitlines() if isinstance(requirements, str) else requirements or ()
    if not isinstance(lines, (list, tuple)) or not all(isinstance(line, str) for line in lines):
        return SetupRequirements(dynamic="install_requires in setup.py is no list of text")
    if not isinstance(python, (str, type(None))):
        return SetupRequirements(dynamic="python_requires in setup.py is no text")
    return SetupRequirements(python or "", tuple(line.strip() for line in lines if line.strip()))


def _setup_calls(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "setup":
            yield node


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Return what is assigned to a name once, at the top of the file."""
    assigned: dict[str, list[ast.expr]] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    assigned.setdefault(target.id, []).append(node.value)
        elif isinstance(node, (ast.AugAssign, ast.For, ast.If, ast.With, ast.While, ast.Try)):
            for child in ast.walk(node):
                if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
                    assigned.setdefault(child.id, []).extend([ast.Constant(None)] * 2)
    return {name: values[0] for name, values in assigned.items() if len(values) == 1}


def _value(node: ast.expr | None, constants: dict[str, ast.expr]) -> object:
    if node is None:
        return None
    if isinstance(node, ast.Name) and node.id in constants:
        node = constants[node.id]
    return ast.literal_eval(node)
