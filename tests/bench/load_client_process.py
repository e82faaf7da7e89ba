"""Client processes of the load bench: started together, told to begin or to end, asked for what they found."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

CLIENTS = Path(__file__).with_name("load_clients.py")


class ClientProcess:
    """One of them."""

    def __init__(self, *arguments: object) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, str(CLIENTS), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.process = psutil.Process(self.popen.pid)

    def ready(self) -> None:
        """Wait until it is."""
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        if line != "ready\n":
            raise SystemExit(f"a client did not get ready: {line!r}")

    def begin(self) -> None:
        """Tell it to begin what it waits with."""
        assert self.popen.stdin is not None
        self.popen.stdin.write("\n")
        self.popen.stdin.flush()

    def found(self) -> Any:
        """Tell it to end, and return what it found."""
        out, _ = self.popen.communicate(timeout=300)
        if self.popen.returncode:
            raise SystemExit(f"a client ended with {self.popen.returncode}")
        return json.loads(out)


@contextmanager
def started(*commands: tuple[object, ...]) -> Iterator[list[ClientProcess]]:
    """Give ready clients; none is left behind."""
    clients = [ClientProcess(*command) for command in commands]
    try:
        for each in clients:
            each.ready()
        yield clients
    finally:
        for each in clients:
            each.popen.kill()
            each.popen.communicate()
