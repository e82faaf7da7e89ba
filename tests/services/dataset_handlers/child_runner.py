"""The runner's side of a child, as a test plays it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from dataset_handlers.child_protocol import read_frame, write_frame

HANDLERS = Path(__file__).with_name("troublesome_handlers.py")


class ChildRunner:
    """A child of its own on copies of the troublesome handlers."""

    def __init__(self, folder: Path, photos: Path) -> None:
        self.log_path = folder / "log"
        self._photos, self._folder = photos, folder
        shutil.copy(HANDLERS, folder)
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dataset_handlers.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self._number = 0

    def receive(self) -> Any:
        assert self.process.stdout
        return read_frame(self.process.stdout.fileno())

    def send(self, kind: str, handler: str = "quiet", **fields: Any) -> int:
        self._number += 1
        command = {
            "id": self._number,
            "type": kind,
            "repository": "mine",
            "module": HANDLERS.stem,
            "path": str(self._folder),
            "handler": handler,
            "config": {},
            "raw": {"photos": str(self._photos)},
            "seed": "0",
        }
        assert self.process.stdin
        write_frame(self.process.stdin.fileno(), {**command, **fields})
        return self._number

    def call(self, kind: str, handler: str = "quiet", **fields: Any) -> tuple[Any, list[Any]]:
        number = self.send(kind, handler, **fields)
        progress = []
        while True:
            event = self.receive()
            assert event is not None, self.log
            assert event["id"] == number
            if event["type"] != "progress":
                return event, progress
            progress.append(event)

    def shard(self, handler: str, name: str = "out.tfrecord", **fields: Any) -> tuple[Any, list[Any]]:
        plan = self.call("plan", handler)[0]["result"]
        shard = max(plan["shards"], key=lambda shard: shard["stop"])
        return self.call("shard", handler, shard=shard, output=str(self._folder / name), **fields)

    def end(self) -> None:
        # Its group may still hold what a handler left running.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            with suppress(BrokenPipeError):
                pipe.close()

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")
