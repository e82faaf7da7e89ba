"""What is done to a deployment, each kind by chance that a seed repeats, and undone after a while."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable

import psutil

from service_kit.object_store_local import MARKER

from .clock import JUMPS_S, NOTICED_S
from .deployment import LEASE_S, Deployment
from .parts import Part
from .small_disk import SmallDisk
from .store_proxy import FAULTS
from .timeline import Timeline

# Of the command line; `points` comes first and by itself.
KINDS = ("kill", "points", "store", "disk", "pause", "clock", "database")
PAST_A_LEASE_S = 1.4 * LEASE_S
OUTAGE_S = (1.0, 5.0)
PAUSE_S = (0.3, 1.5)
POINTS_TIMEOUT_S = 240.0
# Whoever calls stays at a registry as long as it answers, and the next point may lie in the other one.
STUCK_S = 20.0
WORKERS_KILLED = 2


class Harm:
    """Does harm in this thread; `done` counts it, by words."""

    def __init__(self, deployment: Deployment, timeline: Timeline, disks: list[SmallDisk], seed: int) -> None:
        self._deployment, self._timeline, self._disks = deployment, timeline, disks
        self._chance = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.missed: list[str] = []
        """Points that nobody came to."""

    def at_every_point(self, look: Callable[[], None]) -> None:
        """Have somebody die at each named point; ``look`` is called now and then, and may raise."""
        points = self._deployment.arm()
        deadline = time.monotonic() + POINTS_TIMEOUT_S
        parts = self._deployment.supervisor.parts
        left, since_s = 0, 0.0
        while (now := sum(len(part.points) for part in parts)) and time.monotonic() < deadline:
            if now != left:
                left, since_s = now, time.monotonic()
            elif time.monotonic() - since_s > STUCK_S:
                self._chance.choice(self._deployment.registries).kill(PAST_A_LEASE_S)
                self.done["kill -9 of a registry"] += 1
                since_s = time.monotonic()
            look()
            time.sleep(0.1)
        reached = [point for part in parts for point in part.reached]
        self.done["died at a named point"] = len(reached)
        self.missed = sorted(set(points) - set(reached))
        self._deployment.disarm()

    def once(self, kind: str) -> None:
        """Do harm of a kind, and undo it."""
        getattr(self, f"_{kind}")()
        time.sleep(self._chance.uniform(*PAUSE_S))

    def _outage(self) -> None:
        time.sleep(self._chance.uniform(*OUTAGE_S))

    def _kill(self) -> None:
        deployment = self._deployment
        victim = self._chance.choice(["registry", "runner", "runner", "worker", "worker"])
        if victim == "worker":
            workers = deployment.workers()
            for worker in self._chance.sample(workers, min(WORKERS_KILLED, len(workers))):
                with contextlib.suppress(psutil.Error):
                    worker.kill()
                    self.done["kill -9 of a worker"] += 1
            return
        part = self._chance.choice(deployment.registries if victim == "registry" else deployment.runner_parts)
        # Half of the time another has to take over.
        down_s = self._chance.choice([0.0, PAST_A_LEASE_S])
        if victim == "runner":
            self._timeline.lost(part.name)
        part.kill(down_s)
        self.done[f"kill -9 of a {victim}"] += 1

    def _pause(self) -> None:
        part: Part = self._chance.choice([*self._deployment.runner_parts, *self._deployment.registries])
        if part in self._deployment.runner_parts:
            self._timeline.lost(part.name)
        with contextlib.suppress(psutil.Error):
            part.process.pause()
            try:
                time.sleep(PAST_A_LEASE_S)
            finally:
                part.process.resume()
        self.done["SIGSTOP past a lease"] += 1

    def _database(self) -> None:
        postgres = self._deployment.postgres
        if postgres is not None:
            # `stop` is what `pg_ctl -m immediate` does. Either way every connection breaks, and the log is replayed.
            how = self._chance.choice(["stop -m immediate", "kill -9"])
            (postgres.kill if how == "kill -9" else postgres.stop)()
            try:
                self._outage()
            finally:
                postgres.start()
            self.done[f"PostgreSQL: {how}"] += 1
            return
        other = sqlite3.connect(self._deployment.folder / "registry" / "catalog.sqlite", timeout=30)
        with contextlib.closing(other):
            other.execute("BEGIN IMMEDIATE")
            self._outage()
        self.done["SQLite locked by another"] += 1

    def _store(self) -> None:
        proxy = self._deployment.proxy
        if proxy is not None:
            fault = self._chance.choice(FAULTS)
            proxy.fault = fault
            try:
                self._outage()
            finally:
                proxy.fault = ""
            self.done[f"store: {fault} for 20 %"] += 1
            return
        marker = self._deployment.store_folder / MARKER
        away = marker.with_name(".away")
        marker.rename(away)
        try:
            self._outage()
        finally:
            away.rename(marker)
        self.done["store not mounted"] += 1

    def _disk(self) -> None:
        disk = self._chance.choice(self._disks)
        disk.fill()
        try:
            self._outage()
        finally:
            disk.free()
        self.done["disk full"] += 1

    def _clock(self) -> None:
        name = self._chance.choice([*self._deployment.clocks])
        clock = self._deployment.clocks[name]
        clock.set(self._chance.choice(JUMPS_S))
        try:
            time.sleep(NOTICED_S)
            self._outage()
        finally:
            clock.set(0)
        time.sleep(NOTICED_S)
        self.done[f"clock of {name} set, and set back"] += 1
