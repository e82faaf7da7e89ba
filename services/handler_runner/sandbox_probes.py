"""Proves the sandbox when the runner starts: tries to get out of it, and says how well it holds.

What must not be reached is really there: a file with a secret, listeners on the loopback network and on sockets.
`sandbox_probe_script` is what tries.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import structlog

from handler_runner.remove_tree import remove_tree
from handler_runner.sandbox import Confinement, Sandbox, SandboxLevel
from handler_runner.sandbox_bubblewrap import BubblewrapSandbox
from handler_runner.sandbox_limits import SandboxLimits
from handler_runner.sandbox_none import NoSandbox
from handler_runner.sandbox_seccomp_calls import refused_calls, unknown_calls

log = structlog.get_logger()

_TIMEOUT_S = 30.0
_SCRIPT = Path(__file__).with_name("sandbox_probe_script.py")
_DOCUMENT = "docs/sandbox.md says what would do"


def open_sandbox(home: Path, limits: SandboxLimits, cgroups: Sequence[Path] = ()) -> Sandbox:
    """Return the best sandbox that this machine has, proven; ``home`` is where probes may lie meanwhile. Blocking."""
    if sys.platform != "linux":
        return NoSandbox(f"there is one on Linux only, and this is {sys.platform}")
    program = shutil.which("bwrap")
    if program is None:
        return NoSandbox("bubblewrap is not installed; the package `bubblewrap` of the distribution would do")
    sandbox = BubblewrapSandbox(program, limits, cgroups)
    level = prove(sandbox, home)
    log.info("sandbox_proven", sandbox=str(level))
    return sandbox.proven(level) if level.name != "none" else NoSandbox(level.reason)


def prove(sandbox: Sandbox, home: Path) -> SandboxLevel:
    """Run the probes in the sandbox and return the level that they found."""
    home.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="probe-", dir=home))
    try:
        with _outside(folder) as (outside, arrived):
            found = _run(sandbox, folder, outside)
            found.update(arrived())
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return SandboxLevel("none", f"the probes cannot run in it ({_why(error)}); {_DOCUMENT}")
    finally:
        remove_tree(folder)
    got_out = [f"{name.replace('_', ' ')} ({got})" for name, got in sorted(found.items()) if got]
    if got_out:
        return SandboxLevel("partial", f"of {len(found)} probes these got out: {', '.join(got_out)}; {_DOCUMENT}")
    return SandboxLevel("full")


def _run(sandbox: Sandbox, folder: Path, outside: dict[str, Any]) -> dict[str, str]:
    box = folder / "box"
    box.mkdir()
    readable = interpreter_folders()
    outside = {**outside, "given": ["box"], "readable": [*map(str, readable)], "variables": ["PATH", "PWD", "LC_CTYPE"]}
    process = sandbox.popen(
        [sys.executable, "-I", "-S", "-c", _SCRIPT.read_text(), json.dumps(outside)],
        Confinement(readable, box),
        {"PATH": os.defpath},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            output, complaint = process.communicate(timeout=_TIMEOUT_S)
        finally:
            process.kill()
    if process.returncode != 0:
        lines = complaint.decode(errors="replace").strip().splitlines() or [f"exit status {process.returncode}"]
        raise ValueError(lines[-1])
    return {str(name): str(got) for name, got in json.loads(output).items()}


def interpreter_folders() -> tuple[Path, ...]:
    """Return the folders that this process's own Python needs."""
    program = Path(sys.executable)
    folders = {Path(sys.base_prefix), Path(sys.prefix), program.parent, program.resolve().parent.parent}
    return tuple(sorted(folder for folder in folders if folder != Path("/")))


@contextlib.contextmanager
def _outside(folder: Path) -> Iterator[tuple[dict[str, Any], Callable[[], dict[str, str]]]]:
    """Have things that must not be reached; yield how to reach them, and what of the probes is seen out here."""
    (folder / "secret").write_text("nobody's business")
    with contextlib.ExitStack() as opened:
        tcp, unix, abstract = (
            opened.enter_context(socket.socket(family, socket.SOCK_STREAM))
            for family in (socket.AF_INET, socket.AF_UNIX, socket.AF_UNIX)
        )
        udp = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        name = f"darkroom-{uuid.uuid4().hex}"
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", 0))
        abstract.bind(f"\0{name}")
        with _short(folder) as short:
            unix.bind(str(short / "socket"))
        for listener in (tcp, unix, abstract):
            listener.listen()
        udp.setblocking(False)
        calls = {**refused_calls(os.uname().machine), **unknown_calls(os.uname().machine)} if _known() else {}
        outside = {
            "secret": str(folder / "secret"),
            "folder": str(folder),
            "pid": os.getpid(),
            "tcp": tcp.getsockname()[1],
            "udp": udp.getsockname()[1],
            "unix": str(folder / "socket"),
            "abstract": name,
            "calls": calls,
        }

        def arrived() -> dict[str, str]:
            seen = {"write_beside": "wrote a file of the runner's"} if (folder / "out").exists() else {}
            with contextlib.suppress(BlockingIOError):
                udp.recv(16)
                seen["network_by_udp"] = "sent a packet"
            return seen

        yield outside, arrived


@contextlib.contextmanager
def _short(folder: Path) -> Iterator[Path]:
    """Yield a short path of a folder: a socket's may have 107 bytes only."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def _known() -> bool:
    return os.uname().machine in ("x86_64", "aarch64")


def _why(error: Exception) -> str:
    return "they did not end" if isinstance(error, subprocess.TimeoutExpired) else str(error)
