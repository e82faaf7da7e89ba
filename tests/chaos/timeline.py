"""Watches the runners' logs to say how long work lies about whose holder was lost."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence

from ..e2e.process import Process

LOOK_S = 0.05


class Timeline:
    """Follows the logs in a thread of its own, by a clock that nobody sets."""

    def __init__(self, runners: Sequence[Process]) -> None:
        self._runners = runners
        self._read_bytes = dict.fromkeys((each.name for each in runners), 0)
        self._holders: dict[str, str] = {}
        self._lost_s: dict[str, float] = {}
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.resumed_s: list[float] = []
        """Of each work that lost its holder: the seconds until somebody had it again."""

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def end(self) -> None:
        """Follow no more."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def lost(self, runner: str) -> None:
        """Note that a runner was killed or stopped just now."""
        with self._lock:
            for work, holder in self._holders.items():
                if holder == runner:
                    self._lost_s.setdefault(work, time.monotonic())

    def _run(self) -> None:
        while not self._end.wait(LOOK_S):
            for runner in self._runners:
                self._follow(runner)

    def _follow(self, runner: Process) -> None:
        whole, _, _ = runner.log_bytes(self._read_bytes[runner.name]).rpartition(b"\n")
        if not whole:
            return
        self._read_bytes[runner.name] += len(whole) + 1
        with self._lock:
            for line in whole.split(b"\n"):
                if b'"work_' in line:
                    self._note(runner.name, line)

    def _note(self, runner: str, line: bytes) -> None:
        try:
            entry = json.loads(line)
        except ValueError:
            return
        work, event = entry.get("work", ""), entry.get("event")
        if event == "work_begins":
            if (lost_s := self._lost_s.pop(work, None)) is not None:
                self.resumed_s.append(time.monotonic() - lost_s)
            self._holders[work] = runner
        elif event in ("work_ends", "work_lost", "work_stopped") and self._holders.get(work) == runner:
            del self._holders[work]
            self._lost_s.pop(work, None)
