"""Two machines that see each other only through a long line: three network namespaces of the kernel.

The studio has the photos and serves; the lab trains. Between them stands the line (line.py), whose cables can be cut.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from .house import Finished, plain_environment
from .process import Process

STUDIO, STUDIO_SIDE, LAB_SIDE, LAB = "10.77.1.1", "10.77.1.2", "10.77.2.2", "10.77.2.1"
# The registry, retouching, and a store for deployments.
STORE_PORT = "9000"
PORTS = ("50050", "50052", STORE_PORT)
COMMAND_TIMEOUT_S = 240.0
START_TIMEOUT_S = 90.0
LINE = Path(__file__).with_name("line.py")


class Machine:
    """A network namespace with a home folder: what runs in it sees no other network."""

    def __init__(self, name: str, home: Path) -> None:
        self.name = name
        self.home = home
        home.mkdir(parents=True)
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")

    def command(self, *words: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *words]

    def variables(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return what a user's shell on it has."""
        kept = {
            name: value
            for name, value in plain_environment().items()
            if not name.startswith("XDG_") and not name.lower().endswith("_proxy")
        }
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        return kept | quiet | {"HOME": str(self.home), "PATH": path, **(more or {})}

    def type(self, script: str, env: Mapping[str, str] | None = None) -> Finished:
        """Type lines into a shell in the home folder."""
        done = subprocess.run(
            self.command("bash", "-euc", script),
            cwd=self.home,
            env=self.variables(env),
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    @contextlib.contextmanager
    def running(self, name: str, *words: str, env: Mapping[str, str] | None = None) -> Iterator[Process]:
        """Start a command; it is gone at the end of the block."""
        process = Process(name, self.command(*words), self.variables(env), self.home / f"{name}.log")
        process.start()
        try:
            yield process
        finally:
            process.end()

    def end(self) -> None:
        ip("netns", "del", self.name)


class TwoMachines:
    """The studio, the lab and the line between them."""

    def __init__(self, folder: Path) -> None:
        tag = f"dr{os.getpid()}"
        self._ended = contextlib.ExitStack()
        try:
            self.studio = self._machine(f"{tag}-studio", folder / "studio")
            self.lab = self._machine(f"{tag}-lab", folder / "lab")
            self._between = self._machine(f"{tag}-line", folder / "line")
            self._cables = {self.studio: f"{tag}s", self.lab: f"{tag}l"}
            self._plug(self.studio, STUDIO, STUDIO_SIDE)
            self._plug(self.lab, LAB, LAB_SIDE)
            command = self._between.command(sys.executable, str(LINE), LAB_SIDE, STUDIO, *PORTS)
            self._line = self._ended.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            self._ended.callback(self._line.kill)
            assert self._answer() == {"ready": True}
        except BaseException:
            self.end()
            raise

    @property
    def server(self) -> str:
        """Where the lab finds the studio's registry: at the line's near end."""
        return f"{LAB_SIDE}:{PORTS[0]}"

    def tell(self, command: str) -> dict[str, Any]:
        """Command the line; see line.py. Returns its counts."""
        assert self._line.stdin is not None
        self._line.stdin.write(command + "\n")
        self._line.stdin.flush()
        return self._answer()

    @contextlib.contextmanager
    def cut(self, machine: Machine) -> Iterator[None]:
        """Unplug a machine for the block: nothing comes, nothing goes, and nobody is told."""
        ip("-n", self._between.name, "link", "set", self._cables[machine], "down")
        try:
            yield
        finally:
            ip("-n", self._between.name, "link", "set", self._cables[machine], "up")

    def end(self) -> None:
        self._ended.close()

    def _machine(self, name: str, home: Path) -> Machine:
        machine = Machine(name, home)
        self._ended.callback(machine.end)
        return machine

    def _plug(self, machine: Machine, address: str, far_address: str) -> None:
        near, far = f"{self._cables[machine]}0", self._cables[machine]
        ip("-n", machine.name, "link", "add", near, "type", "veth", "peer", "name", far, "netns", self._between.name)
        for name, device, each in ((machine.name, near, address), (self._between.name, far, far_address)):
            ip("-n", name, "address", "add", f"{each}/24", "dev", device)
            ip("-n", name, "link", "set", device, "up")

    def _answer(self) -> dict[str, Any]:
        assert self._line.stdout is not None
        found = json.loads(self._line.stdout.readline())
        assert isinstance(found, dict)
        return found


def ip(*words: str) -> None:
    """Run iproute2's `ip`."""
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True, timeout=START_TIMEOUT_S)


def need_namespaces() -> None:
    """Skip where the kernel gives no network namespaces to whoever runs the tests, or iproute2 is missing."""
    name = f"dr{os.getpid()}-probe"
    try:
        ip("netns", "add", name)
        ip("netns", "del", name)
    except FileNotFoundError:
        pytest.skip("needs network namespaces, and iproute2's `ip` is not installed")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"needs network namespaces, which cannot be made here: {error.stderr.strip()}")
