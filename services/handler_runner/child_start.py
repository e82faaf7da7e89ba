"""Starts a child process that knows nothing of the runner's secrets and dies with it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from handler_runner.child_seat import Seat
from handler_runner.sandbox import Confinement, Sandbox

# Linux kills the child the moment the runner dies, even before the guard knows of it. Not preexec_fn: it would run
# gRPC's fork handlers, and could deadlock, because the runner has threads.
_BOOTSTRAP = """
import sys
if sys.platform == "linux":
    import ctypes, os
    ctypes.CDLL(None).prctl(1, 9)
    if os.getppid() != int(sys.argv[1]):
        os._exit(1)
del sys.argv[1:]
import runpy
runpy.run_module("dataset_handlers.child", run_name="__main__", alter_sys=True)
"""
_CONFINED_PATH = "/usr/local/bin:/usr/bin:/bin"


def start_child(seat: Seat, home: Path, sandbox: Sandbox) -> subprocess.Popen[bytes]:
    """Start it in a session and process group of its own, with pipes for the protocol and for everything it prints.

    Call from the thread that lives as long as the runner: the child dies with the thread that started it.
    """
    home.mkdir(parents=True, exist_ok=True)
    python = [seat.environment.python, "-I", "-X", "utf8"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if seat.environment.confined:
        # The sandbox itself dies with the runner.
        return sandbox.popen(
            [*python, "-m", "dataset_handlers.child"],
            Confinement((*seat.environment.folders, *seat.raw), home),
            {**child_variables(home), "PATH": _CONFINED_PATH, "LANG": "C.UTF-8"},
            **pipes,
        )
    return subprocess.Popen(
        [*python, "-c", _BOOTSTRAP, str(os.getpid())],
        bufsize=0,
        start_new_session=True,
        cwd=home,
        env=child_variables(home),
        **pipes,
    )


def child_variables(home: Path) -> dict[str, str]:
    """Return the whole environment of a child: nothing of the runner's own passes but the path and the language."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "HOME": str(home),
        "TMPDIR": str(home),
        # Large photos cost a page fault for each page otherwise, again and again: 1.2 times faster so.
        "MALLOC_MMAP_THRESHOLD_": "1073741824",
        "MALLOC_TRIM_THRESHOLD_": "4294967296",
        # Workers are processes; threads inside would only take one another's cores.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
