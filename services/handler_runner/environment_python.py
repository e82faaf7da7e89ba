"""The Python interpreters that handlers may run in: those on the operator's list, or the runner's own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet

from handler_runner.environment_failed import failed
from service_kit.errors import FailedPrecondition

# What `dataset_handlers` itself needs.
_OLDEST = (3, 8)
_ASK_TIMEOUT_S = 30.0
_ASK = """
import json, os, platform, sys
base = getattr(sys, "_base_executable", None) or sys.executable
print(json.dumps([os.path.realpath(base), platform.python_version(), os.path.realpath(sys.base_prefix)]))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python without packages: its program, its version (``3.11.7``), and the folder that it lives in."""

    path: str
    version: str
    prefix: str

    @property
    def minor(self) -> str:
        """``3.11``."""
        return ".".join(self.version.split(".")[:2])

    @property
    def folders(self) -> tuple[Path, ...]:
        """What a sandbox must show for it to run; the system's own programs are there anyway."""
        return () if self.prefix == "/usr" else (Path(self.prefix),)


class Interpreters:
    """The list, asked once at start."""

    def __init__(self, paths: Sequence[Path] = ()) -> None:
        """``paths``: programs, the preferred one first; none: the runner's own Python.

        Raises `FailedPrecondition` for one that does not run or is too old.
        """
        self._all = tuple(_ask(str(path)) for path in paths or (Path(sys.executable),))

    @property
    def words(self) -> str:
        """What there is, for messages."""
        return ", ".join(each.version for each in self._all)

    def fitting(self, requires: str) -> Interpreter:
        """Return the first whose version satisfies ``requires``. Raises `WorkFailed` (ENVIRONMENT)."""
        specifier = SpecifierSet(requires)
        for interpreter in self._all:
            if specifier.contains(interpreter.version, prereleases=True):
                return interpreter
        raise failed(
            f"the repository needs Python {requires}, and this runner has {self.words}; another interpreter on its "
            "list (DARKROOM_RUNNER_PYTHONS), or a wider requires-python, would do."
        )

    def of_minor(self, minor: str) -> Interpreter:
        """Return the first of that minor version, which a lock was made for. Raises `WorkFailed` (ENVIRONMENT)."""
        for interpreter in self._all:
            if interpreter.minor == minor:
                return interpreter
        raise failed(
            f"the lock is for Python {minor}, and this runner has {self.words}; such an interpreter on its list "
            "(DARKROOM_RUNNER_PYTHONS), or a new lock, would do."
        )


def _ask(path: str) -> Interpreter:
    try:
        asked = subprocess.run(
            [path, "-I", "-S", "-c", _ASK], capture_output=True, text=True, timeout=_ASK_TIMEOUT_S, check=True
        )
        interpreter = Interpreter(*json.loads(asked.stdout))
    except (OSError, subprocess.SubprocessError, ValueError, TypeError) as error:
        raise FailedPrecondition(
            f"{path} on the list DARKROOM_RUNNER_PYTHONS is no Python that runs here: {error}; the path of an "
            "interpreter, for example /usr/bin/python3, would do"
        ) from error
    if tuple(map(int, interpreter.version.split(".")[:2])) < _OLDEST:
        raise FailedPrecondition(
            f"{path} on the list DARKROOM_RUNNER_PYTHONS is Python {interpreter.version}; handlers need "
            f"{_OLDEST[0]}.{_OLDEST[1]} or newer"
        )
    return interpreter
