"""One of the processes that ``darkroom up`` runs: started, watched, started again when it dies, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

KEPT_LOGS = 5
TAIL_EVERY_S = 0.3
# A part that lived for so long has shown that it works; its next death is news.
PROVEN_S = 60.0
MAX_PAUSE_S = 30.0


class Part:
    """A service's process with its log file; what it warns of is told too."""

    def __init__(
        self, name: str, module: str, environment: Mapping[str, str], log: Path, tell: Callable[[str], None]
    ) -> None:
        self.name = name
        self.restarts = 0
        self._module = module
        self._environment = dict(environment)
        self._log = log
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    async def run(self) -> None:
        """Keep the process running until `stop`."""
        rotate(self._log)
        tail = asyncio.create_task(self._tail())
        pause_s = 1.0
        try:
            while True:
                begin_s = time.monotonic()
                await self._start()
                assert self._process is not None
                code = await self._process.wait()
                if self._stopping:
                    return
                pause_s = 1.0 if time.monotonic() - begin_s > PROVEN_S else min(MAX_PAUSE_S, pause_s * 2)
                self.restarts += 1
                self._tell(f"the {self.name} ended ({ending(code)}); starting it again in {pause_s:.0f} s")
                self._tell(f"  its log: {self._log}")
                await asyncio.sleep(pause_s)
        finally:
            tail.cancel()

    async def stop(self, grace_s: float) -> None:
        """Ask the process to end, and after ``grace_s`` make it."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), grace_s)
            except TimeoutError:
                self._tell(f"the {self.name} does not end; killing it")
                process.kill()
                await process.wait()

    async def _start(self) -> None:
        child = str(Path(__file__).with_name("up_child.py"))
        with open(self._log, "ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                child,
                str(os.getpid()),
                self._module,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                # A terminal's Ctrl-C reaches its whole group; the parts are to end in order instead.
                start_new_session=True,
            )

    async def _tail(self) -> None:
        """Tell each warning in the log as it comes."""
        position = 0
        while True:
            await asyncio.sleep(TAIL_EVERY_S)
            if not self._log.exists():
                continue
            with open(self._log, "rb") as log:
                log.seek(position)
                text = log.read()
            whole = text[: text.rfind(b"\n") + 1]
            position += len(whole)
            for line in whole.decode(errors="replace").splitlines():
                if warning := warning_in(line):
                    self._tell(f"{self.name}: {warning}")


def warning_in(line: str) -> str | None:
    """Return what a log line warns of, in words; None for a line that does not."""
    try:
        entry = json.loads(line)
        level, event = entry.pop("level"), entry.pop("event")
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    if level not in ("warning", "error", "critical"):
        return None
    entry.pop("timestamp", None)
    facts = ", ".join(f"{key}={value}" for key, value in entry.items() if "\n" not in str(value))
    return f"{str(event).replace('_', ' ')}{': ' + facts if facts else ''}"


def ending(code: int) -> str:
    """Return in words how a process ended."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def rotate(log: Path) -> None:
    """Give the log of the last run a number, and forget the oldest."""
    log.parent.mkdir(parents=True, exist_ok=True)
    for number in range(KEPT_LOGS - 1, -1, -1):
        older = log.with_name(f"{log.name}.{number}") if number else log
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
