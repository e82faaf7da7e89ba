"""uv's cache is kept small without breaking what was installed from it."""

from __future__ import annotations

import fcntl
import json
import subprocess
from pathlib import Path

import pytest

from handler_runner.environment_packages_uv import make_venv, resolve_wheels
from handler_runner.environment_python import Interpreter, Interpreters
from handler_runner.environment_uv_cache import UvCache

BOTH = ("six==1.16.0", "packaging==24.0")


@pytest.fixture(scope="module")
def python() -> Interpreter:
    return Interpreters().fitting("")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def installed(folder: Path, python: Interpreter, *requirements: str) -> Path:
    """Make an environment and return its folder."""
    scratch = folder.with_suffix(".scratch")
    make_venv(folder, python, resolve_wheels(requirements, python, scratch), scratch)
    return folder


def versions(venv: Path) -> dict[str, str]:
    code = "import json, importlib.metadata as m; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    done = subprocess.run([venv / "bin/python", "-I", "-c", code], capture_output=True, check=True, timeout=60)
    return json.loads(done.stdout)


def unpacked(cache: Path) -> list[str]:
    """Return which packages the cache holds unpacked."""
    return sorted(path.name.partition("-")[0] for path in cache.glob("archive-v*/*/*.dist-info"))


def test_the_package_installed_longest_ago_goes_first_and_is_fetched_again(
    tmp_path: Path, cache: Path, python: Interpreter
) -> None:
    venv = installed(tmp_path / "both", python, *BOTH)
    UvCache(10**9).trim()
    assert unpacked(cache) == ["packaging", "six"]
    later = installed(tmp_path / "six", python, BOTH[0])
    UvCache(100_000).trim()
    assert unpacked(cache) == ["six"]
    UvCache(0).trim()
    assert unpacked(cache) == []
    assert versions(venv) == {"six": "1.16.0", "packaging": "24.0"}
    assert versions(later) == {"six": "1.16.0"}
    again = installed(tmp_path / "again", python, *BOTH)
    assert versions(again) == versions(venv)


def test_nothing_is_removed_while_uv_works(tmp_path: Path, cache: Path, python: Interpreter) -> None:
    installed(tmp_path / "six", python, BOTH[0])
    with (cache / ".lock").open("rb") as lock:
        # As each uv holds it while it uses the cache.
        fcntl.flock(lock, fcntl.LOCK_SH)
        UvCache(0).trim()
        assert unpacked(cache) == ["six"]
    UvCache(0).trim()
    assert unpacked(cache) == []


def test_environments_that_are_links_into_the_cache_stay_whole(
    tmp_path: Path, cache: Path, python: Interpreter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_LINK_MODE", "symlink")
    venv = installed(tmp_path / "six", python, BOTH[0])
    UvCache(0).trim()
    assert versions(venv) == {"six": "1.16.0"}
