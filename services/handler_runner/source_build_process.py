"""Runs a step of a foreign build to its end, in the sandbox or for trusted code without: bounded in time and output."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from handler_runner.environment_failed import failed
from handler_runner.failure import FailureClass, WorkFailed
from handler_runner.process_guard import kill_group
from handler_runner.sandbox import Confinement, Sandbox

_TIMEOUT_S = 1800.0
_TAIL_BYTES = 32 * 1024


def run_build_step(
    sandbox: Sandbox | None, argv: Sequence[str], readable: tuple[Path, ...], folder: Path, what: str
) -> None:
    """Run ``argv`` in ``folder``, the one place where it may write; no sandbox: it is trusted.

    Raises `WorkFailed` (ENVIRONMENT, or LIMIT_EXCEEDED in the sandbox) with the end of what it printed.
    """
    home = folder / "home"
    home.mkdir(exist_ok=True)
    pipes: dict[str, int] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    try:
        if sandbox is not None:
            process = sandbox.popen(argv, Confinement(readable, folder), _variables(home), **pipes)
        else:
            process = subprocess.Popen(
                argv, cwd=folder, env=_variables(home), start_new_session=True, bufsize=0, **pipes
            )  # type: ignore[call-overload]
    except OSError as error:
        raise failed(f"{what} cannot be started: {error}.") from error
    late = threading.Event()

    def stop() -> None:
        late.set()
        _kill(process, sandbox is None)

    overdue = threading.Timer(_TIMEOUT_S, stop)
    overdue.daemon = True
    overdue.start()
    try:
        tail = _tail(process)
        code = process.wait()
    finally:
        overdue.cancel()
        _kill(process, sandbox is None)
        if process.stdout:
            process.stdout.close()
    if sandbox is not None and (limit := sandbox.reached(process)):
        raise failed(f"{what} was stopped: {limit}.", tail)
    if late.is_set():
        raise failed(f"{what} was not done after {_TIMEOUT_S:.0f} s and was stopped.", tail)
    if sandbox is not None and (reached := sandbox.reached(process)):
        message = f"{what} was stopped in the sandbox: {reached}. Less would do, or a higher limit."
        raise WorkFailed(FailureClass.LIMIT_EXCEEDED, message, detail=tail)
    if code != 0:
        last = next((line for line in reversed(tail.splitlines()) if line.strip()), f"exit code {code}")
        raise failed(f"{what} failed: {last.strip()[:500]}", tail)


def _tail(process: subprocess.Popen[bytes]) -> str:
    """Read all that it prints, and keep the end."""
    assert process.stdout is not None
    kept = b""
    while data := os.read(process.stdout.fileno(), 65536):
        kept = (kept + data)[-_TAIL_BYTES:]
    return kept.decode(errors="replace")


def _kill(process: subprocess.Popen[bytes], group: bool) -> None:
    if group:
        # What the build has started and left behind, too.
        kill_group(process.pid)
    elif process.poll() is None:
        process.kill()


def _variables(home: Path) -> dict[str, str]:
    """Return the whole environment of a build; nothing in it depends on the day."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "TMPDIR": str(home),
        "SOURCE_DATE_EPOCH": "315532800",
        "PYTHONHASHSEED": "0",
        # Nothing can be fetched here; a build that tries should say so at once.
        "PIP_NO_INDEX": "1",
    }
