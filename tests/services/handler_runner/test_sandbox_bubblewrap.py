"""Confined processes: what they see, what they may use up, and that nothing of them survives."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psutil
import pytest

from handler_runner.sandbox import Confinement
from handler_runner.sandbox_bubblewrap import BubblewrapSandbox
from handler_runner.sandbox_limits import SandboxLimits
from handler_runner.sandbox_probes import interpreter_folders

MIB = 1024 * 1024


@pytest.fixture
def box(tmp_path):
    folder = tmp_path / "box"
    folder.mkdir()
    return folder


def start(sandbox, box, argv, readable=(), **how):
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    confinement = Confinement((*interpreter_folders(), *readable), box)
    return sandbox.popen(argv, confinement, {"PATH": "/usr/bin:/bin"}, **{**pipes, **how})


def run(sandbox, box, *argv, readable=()):
    with start(sandbox, box, argv, readable) as process:
        try:
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    return process, output.decode()


def python(sandbox, box, code):
    return run(sandbox, box, sys.executable, "-I", "-S", "-c", code)


def limited(**limits):
    return BubblewrapSandbox("bwrap", SandboxLimits(**limits))


def test_readable_folders_are_at_their_own_paths_and_one_folder_is_writable(box, tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "photo").write_text("a photo")
    script = f"pwd; cat {raw}/photo; echo made > here; echo x > {raw}/new; ls {tmp_path}"
    process, output = run(limited(), box, "/bin/sh", "-c", script, readable=[raw])
    assert process.returncode == 0
    lines = output.splitlines()
    assert lines[0] == str(box)
    assert lines[1].startswith("a photo")
    assert "Read-only file system" in output
    assert lines[-2:] == ["box", "raw"]
    assert (box / "here").read_text() == "made\n"
    assert os.listdir(raw) == ["photo"]


def test_its_variables_are_exactly_those_that_are_given(box, monkeypatch):
    monkeypatch.setenv("DARKROOM_RUNNER_STORE_SECRET_KEY", "s3cret")
    _, output = run(limited(), box, "/usr/bin/env")
    # The shell that sets the limits says where it is.
    assert sorted(line.partition("=")[0] for line in output.splitlines()) == ["PATH", "PWD"]


def test_numpy_and_opencv_work_inside(box):
    readable = [Path(sys.prefix)]
    code = "import numpy, cv2; print(cv2.resize(numpy.ones((4, 4)), (2, 2)).sum())"
    process, output = run(limited(), box, sys.executable, "-I", "-c", code, readable=readable)
    assert process.returncode == 0, output
    assert output.strip() == "4.0"


def test_processes_threads_and_shared_memory_of_pythons_own_kinds_work_inside(box):
    code = """
import multiprocessing, subprocess, threading
def double(x): return 2 * x
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool: print(pool.map(double, [1, 2]))
    print(subprocess.run(["/bin/echo", "three"], capture_output=True).stdout)
    thread = threading.Thread(target=print, args=["four"]); thread.start(); thread.join()
"""
    process, output = python(limited(), box, code)
    assert process.returncode == 0, output
    assert output.split("\n") == ["[2, 4]", "b'three\\n'", "four", ""]


FORK_BOMB = """
import os, time
for _ in range(30000):
    if os.fork() == 0:
        time.sleep(60)
"""
HUNGRY_FAMILY = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        kept = bytearray(os.urandom(1)) * (40 << 20)
        time.sleep(60)
time.sleep(60)
"""
FLOOD = """
for number in range(100000):
    with open(f"file-{number}", "wb") as file: file.write(bytes(1 << 20))
"""
UNLINKED = """
import os, time
kept = []
for number in range(200):
    kept.append(open("file", "wb"))
    os.unlink("file")
    kept[-1].write(bytes(1 << 20)); kept[-1].flush()
time.sleep(60)
"""
MANY = "for number in range(1000000): open(f'file-{number}', 'w').close()\nimport time; time.sleep(60)"
HIDING = """
import os, time
for _ in range(60):
    os.mkdir("x" * 200)
    os.chdir("x" * 200)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("code", "limits", "named"),
    [
        pytest.param(FORK_BOMB, {"processes": 40}, "40 for processes and threads", id="fork bomb"),
        pytest.param(HUNGRY_FAMILY, {"memory_bytes": 128 * MIB}, "128 MiB for the memory of all", id="family"),
        pytest.param(FLOOD, {"folder_bytes": 64 * MIB}, "64 MiB for the size of its folder", id="folder"),
        pytest.param(UNLINKED, {"folder_bytes": 64 * MIB}, "64 MiB for the size of its folder", id="unlinked"),
        pytest.param(MANY, {"folder_files": 500}, "500 for files in its folder", id="files"),
        pytest.param(HIDING, {}, "folders that cannot be looked into", id="hiding"),
    ],
)
def test_what_reaches_a_limit_is_killed_and_the_limit_is_named(box, code, limits, named):
    sandbox = limited(**limits)
    process, _ = python(sandbox, box, code)
    assert process.returncode != 0
    assert named in str(sandbox.reached(process))


def test_one_process_cannot_ask_for_more_memory_than_its_limit(box):
    process, output = python(limited(process_memory_bytes=256 * MIB), box, "kept = bytearray(50 << 30)")
    assert process.returncode == 1
    assert "MemoryError" in output


def test_one_file_cannot_be_larger_than_its_limit(box):
    code = "file = open('file', 'wb')\nwhile True: file.write(bytes(1 << 20))"
    process, output = python(limited(file_bytes=8 * MIB), box, code)
    assert process.returncode == 1
    assert "File too large" in output
    assert (box / "file").stat().st_size <= 8 * MIB


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_the_folders_in_memory_are_small(box, folder):
    code = f"file = open('{folder}/file', 'wb')\nwhile True: file.write(bytes(1 << 20))"
    process, output = python(limited(), box, code)
    assert process.returncode == 1
    assert "No space left" in output


def test_it_cannot_fill_the_disk(box):
    # As if the disk were nearly full: more must stay free than there is.
    sandbox = limited(free_bytes=psutil.disk_usage(str(box)).free + (1 << 40))
    process, _ = python(sandbox, box, FLOOD)
    assert process.returncode != 0
    assert "it must leave free on the disk (DARKROOM_RUNNER_SANDBOX_FREE_BYTES)" in str(sandbox.reached(process))


def test_when_it_ends_nothing_that_it_started_survives(box):
    wanted = some_seconds()
    process = start(limited(), box, ["/bin/sh", "-c", f"setsid sleep {wanted} & echo started"])
    with process:
        process.communicate(timeout=30)
    wait_for(lambda: not runs(wanted))


def test_when_its_first_process_outside_is_killed_all_of_it_dies(box):
    wanted = some_seconds()
    process = start(limited(), box, ["/bin/sh", "-c", f"trap '' TERM HUP; sleep {wanted}"])
    with process:
        wait_for(lambda: runs(wanted))
        process.send_signal(signal.SIGKILL)
        wait_for(lambda: not runs(wanted))


def test_its_return_code_tells_of_a_signal(box):
    process, _ = run(limited(), box, "/bin/sh", "-c", "kill -SEGV $$")
    assert process.returncode == 128 + signal.SIGSEGV


def some_seconds():
    """Return a number that no other process has as its argument."""
    return f"1{uuid.uuid4().int % 10**8}"


def runs(argument):
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if argument in process.cmdline():
                return True
    return False


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
