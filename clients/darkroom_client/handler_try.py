"""Runs a handler's code as it lies in a folder, in a process of the Python that it needs, without any service."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from darkroom_client.errors import FailedPrecondition, InvalidArgument, NotFound

ASK_TIMEOUT_S = 60.0
_READY = "ready"
_ASK = f"import dataset_handlers.__main__; print({_READY!r})"
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)


@dataclass(frozen=True)
class Trial:
    """What to try: as `darkroom handler try` is told."""

    folder: Path
    raw: Sequence[str]
    output: Path
    handler: str | None = None
    config: Mapping[str, Any] | None = None
    sample_count: int = 20
    check: bool = False
    as_json: bool = False


def run_trial(trial: Trial, python: str | None) -> int:
    """Run it, its words going where this process's go, and return its exit code.

    ``python``: the interpreter; else this one. Raises what would do when it cannot be started.
    """
    module = declared_module(trial.folder)
    interpreter = _interpreter(python)
    # Isolated, as a runner starts a handler: what lies in the current folder or in PYTHONPATH is not there in a build.
    command = [interpreter, "-I", "-X", "utf8", "-m", "dataset_handlers", "preview", str(trial.folder)]
    command += ["--config", "-", "-n", str(trial.sample_count), "-o", str(trial.output)]
    command += [f"--raw={each}" for each in trial.raw]
    command += [f"--module={module}"] if module else []
    command += [f"--handler={trial.handler}"] if trial.handler else []
    command += ["--check"] * trial.check + ["--json"] * trial.as_json
    return subprocess.run(
        command, input=json.dumps(dict(trial.config or {})).encode(), stdout=sys.stdout.fileno(), check=False
    ).returncode


def declared_module(folder: Path) -> str:
    """Return the module that pyproject.toml names, or nothing. Raises `NotFound` and `InvalidArgument`."""
    if not folder.is_dir():
        raise NotFound(f"no folder {folder}; `darkroom handler new {folder}` makes one with a handler in it")
    path = folder / "pyproject.toml"
    if not path.is_file():
        return ""
    try:
        tool = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"{path}: {error}") from error
    module = tool.get("darkroom", {}).get("module", "")
    if module and not (isinstance(module, str) and _MODULE.fullmatch(module)):
        raise InvalidArgument(f"{path}: [tool.darkroom] module is {module!r}; the name of a module would do")
    return str(module)


def _interpreter(python: str | None) -> str:
    """Return the program, once it is known to have `dataset_handlers`."""
    if python is None:
        # Looked for and not imported: the light client works without it.
        if find_spec("dataset_handlers") is None:
            raise _without_handlers(sys.executable)
        return sys.executable
    path = shutil.which(python)
    if path is None:
        raise NotFound(f"--python {python}: no such program; the path of a Python, as .venv/bin/python, would do")
    try:
        asked = subprocess.run(
            [path, "-I", "-c", _ASK], capture_output=True, text=True, timeout=ASK_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InvalidArgument(f"--python {python}: {path} is no Python that runs: {error}") from error
    if "No module named 'dataset_handlers" in asked.stderr:
        raise _without_handlers(path)
    if asked.returncode or asked.stdout.strip() != _READY:
        said = (asked.stderr.strip() or f"exit code {asked.returncode}").splitlines()[-1]
        raise InvalidArgument(f"--python {python}: {path} is no Python that can try handlers: {said}")
    return path


def _without_handlers(path: str) -> FailedPrecondition:
    return FailedPrecondition(
        f"{path} has no dataset_handlers that can try handlers; `{path} -m pip install 'dataset-handlers[operations]'` "
        "would do, or --python PATH, a Python that has it"
    )
