"""Resolves requirements to pinned wheels, and installs pinned wheels; no code of any package runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import dataset_handlers
from handler_runner.environment_failed import failed
from handler_runner.environment_lock import pinned
from handler_runner.environment_python import Interpreter
from handler_runner.failure import WorkFailed
from handler_runner.uv_command import UvFailed, run_uv

_COMPILE_TIMEOUT_S = 600.0
_WOULD_DO = "another version of it, or the package under `build` in [tool.darkroom] (pyproject.toml), would do"
# Sentences of uv and what they mean to the author of a handler; the first that matches tells.
_MEANINGS = (
    (r"Wheels are required for `([^`]+)`", "{0} has no wheel for Python {python} on this machine; " + _WOULD_DO),
    (r"([\w.\-\[\]]+) was not found in the package registry", "the package index has no {0}; is it spelled so?"),
    (r"there is no version of ([\w.\-\[\]]+[^\s,]*)", "the package index has no {0}; a version that it has would do"),
    (r"have no usable wheels and only the following versions of (\S+)", "no version of {0} that fits has a wheel; "
     + _WOULD_DO),
    (r"([\w.\-]+)==\S+ has no wheels? with a matching", "{0} has no wheel for Python {python} here; " + _WOULD_DO),
    (r"the (?:requested|current) Python version .*does not satisfy (Python\S+)[^`]*?depends on ([\w.\-]+)",
     "{1} needs {0}, and this is Python {python}; another version of it would do"),
)  # fmt: skip


def resolve_wheels(
    requirements: Iterable[str],
    python: Interpreter,
    scratch: Path,
    overrides: Iterable[str] = (),
    leave_out: Iterable[str] = (),
) -> tuple[str, ...]:
    """Return what the requirements resolve to, each pinned with its hashes; ``leave_out`` are names not to list.

    Raises `WorkFailed` (ENVIRONMENT) naming the package at fault, `Unavailable`.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    source, forced, output = (scratch / name for name in ("requirements.in", "overrides.txt", "requirements.txt"))
    source.write_text("".join(f"{line}\n" for line in requirements))
    forced.write_text("".join(f"{line}\n" for line in overrides))
    output.unlink(missing_ok=True)
    words: list[str | Path] = ["pip", "compile", source, "--override", forced, "--output-file", output]
    words += ["--python", python.path, "--python-version", python.minor, "--only-binary", ":all:", "--no-sources"]
    words += ["--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
    for name in leave_out:
        words += ["--no-emit-package", name]
    try:
        run_uv(words, scratch)
    except UvFailed as error:
        raise _meaning(error, python) from error
    return pinned(output.read_text())


def make_venv(folder: Path, python: Interpreter, packages: Sequence[str], scratch: Path) -> None:
    """Make a virtual environment in the new ``folder`` with exactly those packages, each pinned with its hashes.

    Raises `WorkFailed` (ENVIRONMENT), `Unavailable`.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    listed = scratch / "packages.txt"
    listed.write_text("".join(f"{line}\n" for line in packages))
    try:
        run_uv(["venv", "--relocatable", "--no-project", "--python", python.path, folder], scratch)
        # One call for all: a second one would run the interpreter of a folder that foreign packages have filled.
        run_uv(
            ["pip", "sync", listed, "--python", folder / "bin/python", "--require-hashes", "--only-binary", ":all:",
             "--allow-empty-requirements", "--no-sources"],
            scratch,
        )  # fmt: skip
    except UvFailed as error:
        raise _meaning(error, python) from error


def add_dataset_handlers(folder: Path, python: Interpreter) -> None:
    """Put the runner's own `dataset_handlers` into a virtual environment, in place of any other, and compile all.

    A sandbox shows the environment read-only, so what is not compiled now would be compiled at each start.
    """
    packages = folder / f"lib/python{python.minor}/site-packages"
    own = packages / "dataset_handlers"
    shutil.rmtree(own, ignore_errors=True)
    sources = Path(dataset_handlers.__file__).parent
    shutil.copytree(sources, own, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "*.md", "pyproject.toml"))
    # -S: with the interpreter's own modules only, as foreign ones may bring start-up files. Nobody runs their tests.
    words = [python.path, "-I", "-S", "-m", "compileall", "-q", "-q", "-j", "0", "-x", "/tests?/", str(packages)]
    subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_COMPILE_TIMEOUT_S, check=False)


def _meaning(error: UvFailed, python: Interpreter) -> WorkFailed:
    said = " ".join(error.said.split())
    for pattern, meaning in _MEANINGS:
        if match := re.search(pattern, said):
            names = [name.rstrip(".,") for name in match.groups()]
            return failed(f"the environment cannot be made: {meaning.format(*names, python=python.minor)}.", error.said)
    return failed(
        "the environment cannot be made: no packages satisfy all requirements; requirements that fit one another "
        f"would do. {said.removeprefix('error: ')[:2000]}",
        error.said,
    )
