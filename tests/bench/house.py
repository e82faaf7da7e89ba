"""Registry and runner as processes of their own, on a temporary home."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil

from darkroom_client import Client
from darkroom_client.errors import DarkroomError


class House:
    """One registry and one runner."""

    def __init__(self, home: Path, raw: Path, *, warm: bool = True) -> None:
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            self.server = f"localhost:{probe.getsockname()[1]}"
        self.cache = home / "cache"
        store = {f"DARKROOM_{part}_STORE_DIR": str(home / "store") for part in ("REGISTRY", "RUNNER")}
        environment = (
            os.environ
            | store
            | {
                "DARKROOM_REGISTRY_LISTEN": self.server,
                "DARKROOM_REGISTRY_HOME": str(home / "registry"),
                "DARKROOM_RUNNER_REGISTRY": self.server,
                "DARKROOM_RUNNER_RAW_ROOT": str(raw),
                "DARKROOM_RUNNER_HOME": str(home / "runner"),
            }
        )
        home.mkdir(parents=True, exist_ok=True)
        log = (home / "log").open("w")
        self.parts = [
            subprocess.Popen([sys.executable, "-m", module], env=environment, stdout=log, stderr=log)
            for module in ("dataset_registry", "handler_runner")
        ]
        self.client = Client(self.server, cache=self.cache)
        self._wait(raw)

    def _wait(self, raw: Path) -> None:
        for _ in range(200):
            try:
                if self.client.list_raw_datasets() and self.client.list_handlers():
                    return
            except DarkroomError:
                pass
            time.sleep(0.1)
        raise SystemExit("registry and runner did not come up")

    def memory_mib(self) -> float:
        """Return the proportional memory of the runner and its workers."""
        runner = psutil.Process(self.parts[1].pid)
        total = 0
        for process in [runner, *runner.children(recursive=True)]:
            try:
                total += process.memory_full_info().pss
            except psutil.Error:
                continue
        return total / 2**20

    def stop(self) -> None:
        """Stop both."""
        self.client.close()
        for part in reversed(self.parts):
            part.send_signal(signal.SIGTERM)
        for part in self.parts:
            part.wait(20)
