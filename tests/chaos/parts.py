"""The parts of a deployment that are killed: a supervisor starts each again, and may tell it where to die."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence

from service_kit.crash_points import VARIABLE

from ..e2e.process import Process

LOOK_S = 0.1
# A registry that starts while its database is away ends, and says why; whoever started it starts it again.
AGAIN_S = 0.5


class Part:
    """A registry or a runner."""

    def __init__(self, process: Process, variables: Mapping[str, str]) -> None:
        """``variables``: more of them, for every life."""
        self.process = process
        self.name = process.name
        self.points: deque[str] = deque()
        """Where it is still to die: at one in each of its next lives."""
        self.reached: list[str] = []
        self.ended = 0
        """How often it ended without having been killed."""
        self._variables = dict(variables)
        self._armed = ""
        self._killed = False
        self._start_at_s = 0.0
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin a life."""
        self._killed = False
        self._armed = self.points[0] if self.points else ""
        self.process.start(**self._variables, **({VARIABLE: self._armed} if self._armed else {}))

    def kill(self, down_s: float = 0.0) -> None:
        """Kill it, and keep it down for a while."""
        with self._lock:
            self._killed, self._start_at_s = True, time.monotonic() + down_s
            if self.process.alive():
                self.process.kill()

    def look(self) -> None:
        """Start it again if it is dead and its time has come."""
        with self._lock:
            if self.process.alive() or time.monotonic() < self._start_at_s:
                return
            if self.process.wait() != -signal.SIGKILL and not self._killed:
                self.ended += 1
                self._start_at_s, self._killed = time.monotonic() + AGAIN_S, True
                return
            if self._armed and not self._killed:
                self.reached.append(self.points.popleft())
            self.start()


class Supervisor:
    """Looks after parts in a thread of its own."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self._end = threading.Event()
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def check(self) -> None:
        """Raise what went wrong in the thread."""
        if self._problem is not None:
            raise self._problem

    def end(self) -> None:
        """Look no more."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(30)

    def _run(self) -> None:
        try:
            while not self._end.wait(LOOK_S):
                for part in self.parts:
                    part.look()
        except BaseException as problem:
            self._problem = problem
