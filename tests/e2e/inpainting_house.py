"""An inpainting service as a real process, and the `darkroom` command that asks it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from darkroom_client.client import Inpainting

from ..ports import free_port
from .house import Finished, plain_environment
from .process import Process, until

COMMAND_TIMEOUT_S = 240.0


class InpaintingHouse:
    """One service on one home; whatever is started is gone after `end`."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.server = f"localhost:{free_port()}"
        self.store = folder / "store"
        folder.mkdir(parents=True, exist_ok=True)
        self.settings = {"LISTEN": self.server, "HOME": folder / "home", "STORE_DIR": self.store, **settings}
        variables = {f"DARKROOM_INPAINTING_{name}": str(value) for name, value in self.settings.items()}
        command = [sys.executable, "-m", "inpainting"]
        self.service = Process("inpainting", command, plain_environment() | variables, folder / "inpainting.log")
        self._running: list[Process] = []

    def start(self) -> InpaintingHouse:
        """Start the service, again after it was killed, and wait until it is warm."""
        ready = len(self.service.events("inpainting_ready"))
        self.service.start()
        until(lambda: len(self.service.events("inpainting_ready")) > ready, "the service", 60.0)
        return self

    def client(self) -> Inpainting:
        return Inpainting(self.server)

    def darkroom(self, *arguments: object) -> Finished:
        """Run the `darkroom` command to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "darkroom_client", *map(str, arguments)],
            env=self.variables(),
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def begin(self, *arguments: object) -> Process:
        """Start the `darkroom` command and go on."""
        command = [sys.executable, "-m", "darkroom_client", *map(str, arguments)]
        log = self.folder / f"darkroom-{len(self._running)}.log"
        process = Process("darkroom", command, self.variables(), log)
        self._running.append(process)
        process.start()
        return process

    def variables(self) -> dict[str, str]:
        home = {"DARKROOM_INPAINTING_HOME": str(self.settings["HOME"])}
        return plain_environment() | {"DARKROOM_INPAINTING": self.server} | home

    def end(self) -> None:
        for process in (*self._running, self.service):
            process.end()
