"""One real process of a test: started with a log file, killed, paused, resumed, and at the end surely gone."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import psutil

Value = TypeVar("Value")

STOP_TIMEOUT_S = 60.0


class Process:
    """A command that may be started again and again; what it prints is appended to its log."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._command = list(command)
        self._environment = dict(environment)
        self._log = log
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._popen is not None
        return self._popen.pid

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def log_bytes(self, begin: int) -> bytes:
        """Return the log from a byte on."""
        if not self._log.exists():
            return b""
        with self._log.open("rb") as log:
            log.seek(begin)
            return log.read()

    def events(self, event: str) -> list[dict[str, Any]]:
        """Return the structured log entries of that event, of every life of the process."""
        entries = (json.loads(line) for line in self.log.splitlines() if line.startswith("{") and line.endswith("}"))
        return [entry for entry in entries if entry.get("event") == event]

    def start(self, **variables: str) -> None:
        """Start it, this once with more variables."""
        with self._log.open("ab") as log:
            self._popen = subprocess.Popen(
                self._command,
                env=self._environment | variables,
                cwd=self._log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        assert self._popen is not None
        return self._popen.wait(timeout_s)

    def kill(self) -> None:
        """Kill the process itself, as `kill -9 PID` does: its children are left to their own devices."""
        self.send(signal.SIGKILL)
        self.wait()

    def stop(self) -> int:
        """Ask it to end, as a service supervisor would, and return its exit code."""
        self.send(signal.SIGTERM)
        return self.wait()

    def pause(self) -> None:
        """Stop it with everything that it started, as a suspended machine stops."""
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()

    def resume(self) -> None:
        for process in self._family():
            # The first ones to wake may end the others.
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def end(self) -> None:
        """Leave nothing of it behind, whatever state it is in."""
        if self._popen is None:
            return
        family = self._family()
        for group in {self._popen.pid, *(process.pid for process in family)}:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.wait()

    def _family(self) -> list[psutil.Process]:
        try:
            process = psutil.Process(self.pid)
            return [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def until(condition: Callable[[], Value], what: str, timeout_s: float = 90.0, pause_s: float = 0.05) -> Value:
    """Return the condition's value once it is true; fail saying what did not come."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come within {timeout_s:.0f} s"
        time.sleep(pause_s)
    return value
