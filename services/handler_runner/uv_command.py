"""Runs uv, which resolves and installs packages; it is never let to run anything that an index gave it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from handler_runner.environment_failed import failed
from handler_runner.environment_index import index_variables
from service_kit.errors import Unavailable
from service_kit.git_repository import without_secrets

_TIMEOUT_S = 900.0
_ALWAYS = ("--color", "never", "--no-progress", "--no-python-downloads")
_AWAY = ("error sending request", "dns error", "operation timed out", "Request failed after", "connection closed")
_STATUS = re.compile(r"HTTP status (?:client|server) error \((5\d\d|429)")


class UvFailed(Exception):
    """What uv said, without colours and secrets."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


def run_uv(words: Sequence[str | Path], folder: Path, *, quiet: bool = True) -> str:
    """Run ``uv words`` in ``folder`` and return what it prints; ``quiet`` leaves errors alone.

    Raises `UvFailed`; `Unavailable` when the package index does not answer.
    """
    command = [_uv(), *map(str, words), *_ALWAYS, *(["--quiet"] if quiet else [])]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=_variables(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"uv was not done after {_TIMEOUT_S:.0f} s; perhaps the package index is slow") from None
    if done.returncode == 0:
        return done.stdout
    said = without_secrets(done.stderr).strip()
    if any(words in said for words in _AWAY) or _STATUS.search(said):
        raise Unavailable(f"the package index does not answer: {said.splitlines()[-1].strip()}")
    raise UvFailed(said)


def uv_cache_folder() -> Path:
    """Return where uv keeps its cache, which may not be there yet."""
    return Path(run_uv(["cache", "dir"], Path("/"), quiet=False).strip())


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if not found:
        raise failed("uv is not installed beside this runner's Python; `pip install uv` would do.")
    return found


def _variables() -> dict[str, str]:
    """Return the runner's variables without its own secrets and without what would lead uv elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DARKROOM_", "PYTHON")) and name not in ("VIRTUAL_ENV", "UV_PYTHON", "CONDA_PREFIX")
    }
    return {**kept, **index_variables()}
