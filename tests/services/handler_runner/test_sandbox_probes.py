"""The runner tries its own sandbox: a tight one is full, each hole is found and named."""

from __future__ import annotations

import pytest

from handler_runner import sandbox_bubblewrap
from handler_runner.sandbox_bubblewrap import BubblewrapSandbox
from handler_runner.sandbox_limits import SandboxLimits
from handler_runner.sandbox_probes import open_sandbox, prove


def sandbox(program="bwrap"):
    return BubblewrapSandbox(program, SandboxLimits())


def leaky(sandbox, change):
    """Return the sandbox with other arguments for bubblewrap."""
    arguments = sandbox._arguments

    def changed(confinement, variables, files):
        given, descriptors = arguments(confinement, variables, files)
        return change(given), descriptors

    sandbox._arguments = changed
    return sandbox


def test_the_sandbox_of_this_machine_is_full(tmp_path):
    opened = open_sandbox(tmp_path, SandboxLimits())
    assert opened.level.full, opened.level
    # Nothing of the probes stays.
    assert not list(tmp_path.iterdir())


def without(*left_out):
    return lambda given: [each for each in given if each not in left_out]


APART = ("--unshare-user", "--unshare-uts", "--unshare-ipc")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param(
            lambda given: [*APART, "--unshare-pid", *without("--unshare-all")(given)],
            ["network by tcp", "network by udp", "abstract socket"],
            id="network",
        ),
        pytest.param(
            lambda given: [*APART, "--unshare-net", *without("--unshare-all")(given)],
            ["other processes", "signal to the runner"],
            id="processes",
        ),
        pytest.param(lambda given: [*given, "--bind", "/tmp", "/tmp"], ["host file", "write beside"], id="files"),
        pytest.param(lambda given: [*given, "--ro-bind", "/etc", "/etc"], ["host file", "users of the host"], id="etc"),
        pytest.param(lambda given: [*given, "--setenv", "TOKEN", "x"], ["own environment"], id="variables"),
        pytest.param(without("--remount-ro"), ["write outside"], id="root"),
    ],
)
def test_each_hole_is_found_and_named(tmp_path, change, found):
    if found == ["write outside"]:
        # Without the word, its folder would be an argument of nothing.
        def change(given):
            return [each for i, each in enumerate(given) if "--remount-ro" not in given[max(0, i - 1) : i + 1]]

    level = prove(leaky(sandbox(), change), tmp_path)
    assert level.name == "partial", level
    for name in found:
        assert f"{name} (" in level.reason


def test_without_a_filter_for_system_calls_the_sandbox_is_not_full(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox_bubblewrap, "seccomp_filter", lambda: None)
    level = prove(sandbox(), tmp_path)
    assert level.name == "partial"
    assert "filter of calls" in level.reason


def test_where_bubblewrap_is_missing_there_is_no_sandbox_and_the_reason_says_what_would_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    opened = open_sandbox(tmp_path, SandboxLimits())
    assert opened.level.name == "none"
    assert "the package `bubblewrap` of the distribution would do" in opened.level.reason


def test_where_namespaces_are_forbidden_there_is_no_sandbox_and_the_reason_is_bubblewraps_own(tmp_path):
    program = tmp_path / "bwrap"
    program.write_text('#!/bin/sh\necho "bwrap: No permissions to create a new namespace" >&2\nexit 1\n')
    program.chmod(0o755)
    level = prove(sandbox(str(program)), tmp_path / "home")
    assert level.name == "none"
    assert "No permissions to create a new namespace" in level.reason
    assert "docs/sandbox.md" in level.reason
