"""Confined processes in cgroups that were handed to the runner; where none can be made, there is nothing to see."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from handler_runner.sandbox import Confinement
from handler_runner.sandbox_bubblewrap import BubblewrapSandbox
from handler_runner.sandbox_cgroups import Cgroup
from handler_runner.sandbox_limits import SandboxLimits
from handler_runner.sandbox_probes import interpreter_folders

MIB = 1024 * 1024
HUNGRY = "kept = bytearray(b'x') * (200 << 20); import time; time.sleep(60)"


@pytest.fixture
def handed():
    """Groups of this test's own: one of version 2, or one for each controller of version 1."""
    name = f"darkroom-test-{uuid.uuid4().hex[:8]}"
    root = Path("/sys/fs/cgroup")
    parents = [root] if (root / "cgroup.subtree_control").exists() else [root / "memory", root / "pids"]
    made = []
    try:
        for parent in parents:
            (parent / name).mkdir()
            made.append(parent / name)
        for folder in made:
            assert (folder / "cgroup.procs").exists()
        yield made
    except (OSError, AssertionError) as error:
        pytest.skip(f"no cgroup can be made here: {error}")
    finally:
        for folder in made:
            remove(folder)


def remove(folder):
    """Remove a group once the sandbox's watch has removed those in it."""
    deadline = time.monotonic() + 30
    while folder.exists():
        try:
            folder.rmdir()
        except OSError:
            assert time.monotonic() < deadline, f"{folder} stays"
            time.sleep(0.05)


def test_the_kernel_itself_kills_for_memory_and_the_limit_is_named(handed, tmp_path):
    # Smaller than what the watch would notice by itself in time: the process is killed while it grows.
    sandbox = BubblewrapSandbox("bwrap", SandboxLimits(memory_bytes=64 * MIB), handed)
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    process = sandbox.popen(
        [sys.executable, "-I", "-S", "-c", HUNGRY], Confinement(interpreter_folders(), tmp_path), {}, **pipes
    )
    with process:
        process.communicate(timeout=60)
    assert process.returncode != 0
    assert "64 MiB for the memory of all its processes" in str(sandbox.reached(process))


def test_a_group_holds_its_limits_and_goes_when_it_is_empty(handed):
    group = Cgroup(handed, SandboxLimits(memory_bytes=64 * MIB, processes=100))
    folders = [door.parent for door in group.doors]
    values = {
        name: (folder / name).read_text().strip()
        for folder in folders
        for name in os.listdir(folder)
        if name in ("memory.max", "memory.limit_in_bytes", "pids.max")
    }
    assert set(values.values()) == {str(64 * MIB), "164"}
    assert group.remove()
    assert not any(folder.exists() for folder in folders)
