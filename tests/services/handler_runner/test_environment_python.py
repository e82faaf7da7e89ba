"""Handlers run in an interpreter of the operator's list."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from handler_runner.environment_python import Interpreters
from handler_runner.failure import WorkFailed
from service_kit.errors import FailedPrecondition

HERE = platform.python_version()


def test_the_runners_own_python_is_there_by_default():
    interpreter = Interpreters().fitting(">=3.8")
    assert interpreter.version == HERE
    assert interpreter.minor == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert Path(interpreter.prefix) == Path(sys.base_prefix).resolve()
    assert Path(interpreter.path).is_file()


def test_the_first_that_fits_is_taken(tmp_path):
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\necho \'["{other}", "3.9.1", "{tmp_path}"]\'\n')
    other.chmod(0o755)
    interpreters = Interpreters([other, Path(sys.executable)])
    assert interpreters.fitting("").version == "3.9.1"
    assert interpreters.fitting(f"=={HERE}").version == HERE
    assert interpreters.of_minor("3.9").path == str(other)
    with pytest.raises(WorkFailed, match=f"needs Python <3.9, and this runner has 3.9.1, {HERE}"):
        interpreters.fitting("<3.9")
    with pytest.raises(WorkFailed, match=r"lock is for Python 3\.8, and this runner has"):
        interpreters.of_minor("3.8")


@pytest.mark.parametrize("path", ["/nowhere/python", "/bin/true"])
def test_what_is_no_python_is_refused_at_start(path):
    with pytest.raises(FailedPrecondition, match="DARKROOM_RUNNER_PYTHONS is no Python that runs here"):
        Interpreters([Path(path)])


def test_a_python_that_is_too_old_is_refused_at_start(tmp_path):
    old = tmp_path / "python"
    old.write_text(f'#!/bin/sh\necho \'["{old}", "3.6.9", "/usr"]\'\n')
    old.chmod(0o755)
    with pytest.raises(FailedPrecondition, match=r"is Python 3\.6\.9; handlers need 3\.8"):
        Interpreters([old])
