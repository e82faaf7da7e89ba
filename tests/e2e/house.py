"""A Darkroom of real processes on one home folder: a registry, runners by name, and the `darkroom` command."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from darkroom_client import Client, DarkroomError

from ..ports import free_port
from .process import Process, until

HANDLERS = Path(__file__).parent / "handlers"
COMMAND_TIMEOUT_S = 240.0
# What these tests set for the processes themselves.
OURS = ("DARKROOM_", "PYTEST_")


@dataclass(frozen=True)
class Finished:
    """A `darkroom` command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on standard output; more or less than one fails."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    def ok(self) -> Finished:
        """Return itself if it ended well."""
        assert self.code == 0, f"exit code {self.code}\n{self.out}\n{self.err}"
        return self


class House:
    """Where everything of one Darkroom lies; whatever is started is gone after `end`."""

    def __init__(self, folder: Path, raw: Path, store: Mapping[str, str] | None = None, **registry: object) -> None:
        """``store``: the variables of a store other than a local folder, without prefix; ``registry``: its settings."""
        self.folder = folder
        self.raw = raw
        self.cache = folder / "cache"
        self.server = f"localhost:{free_port()}"
        self.store_folder = folder / "store"
        self.store = dict(store or {"STORE": "local", "STORE_DIR": str(self.store_folder)})
        self._client: Client | None = None
        self.runners: dict[str, Process] = {}
        folder.mkdir(parents=True, exist_ok=True)
        settings = {"LISTEN": self.server, "HOME": folder / "registry", **self.store, **registry}
        self.registry = self._process("registry", "dataset_registry", "DARKROOM_REGISTRY_", settings)

    def start(self, runner: str = "runner-1") -> House:
        """Start the registry and one runner, and wait until it has described its handlers."""
        self.registry.start()
        self.start_runner(runner)
        self.wait_for_handlers()
        return self

    def start_runner(self, name: str = "runner-1", **settings: object) -> Process:
        """Start a runner, one of that name again on the same home."""
        self.add_runner(name, **settings).start()
        return self.runners[name]

    def add_runner(self, name: str, **settings: object) -> Process:
        """Return the runner of that name, not started if it is new."""
        if name not in self.runners:
            values = {
                "REGISTRY": self.server,
                "NAME": name,
                "RAW_ROOT": self.raw,
                "HOME": self.folder / name,
                "WORKERS": 2,
                "LOCAL_REPOSITORIES": json.dumps({"test": str(HANDLERS)}),
                **self.store,
                **settings,
            }
            self.runners[name] = self._process(name, "handler_runner", "DARKROOM_RUNNER_", values)
        return self.runners[name]

    def wait_for_handlers(self, timeout_s: float = 60.0) -> None:
        """Wait until requests can be made; a part that has died says why."""

        def described() -> bool:
            for part in (self.registry, *self.runners.values()):
                assert part.alive(), f"the {part.name} died"
            try:
                return {"stock", "test"} <= {each.name.split("/")[0] for each in self.client.list_handlers()}
            except DarkroomError:
                return False

        try:
            until(described, "the description of the handlers", timeout_s)
        except AssertionError as error:
            logs = "\n".join(part.log[-2000:] for part in (self.registry, *self.runners.values()))
            raise AssertionError(f"{error}\n{logs}") from None

    @property
    def runner(self) -> Process:
        return self.runners["runner-1"]

    @property
    def client(self) -> Client:
        """An SDK client of this process, with the house's cache."""
        if self._client is None:
            self._client = Client(self.server, self.cache, "tester@here")
        return self._client

    def darkroom(self, *arguments: str, env: Mapping[str, str] | None = None, **options: Any) -> Finished:
        """Run the `darkroom` command to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "darkroom_client", *arguments],
            env=self.variables(env),
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
            **options,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    @contextlib.contextmanager
    def darkroom_running(self, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[Process]:
        """Start the `darkroom` command and go on; it is gone at the end of the block."""
        log = self.folder / f"darkroom-{len(list(self.folder.glob('darkroom-*')))}.log"
        process = Process("darkroom", [sys.executable, "-m", "darkroom_client", *arguments], self.variables(env), log)
        process.start()
        try:
            yield process
        finally:
            process.end()

    def variables(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of a training machine's processes."""
        return plain_environment() | {
            "DARKROOM_SERVER": self.server,
            "DARKROOM_CACHE": str(self.cache),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "",
            **(more or {}),
        }

    def config(self, config: Mapping[str, Any]) -> str:
        """Write a config file and return its path."""
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump(dict(config)))
        return str(path)

    def archive(self, key: str) -> Path:
        """Return the local store's file of a ready dataset's archive."""
        found = list(self.store_folder.glob(f"{key}/*/*.zip"))
        assert len(found) == 1, found
        return found[0]

    def end(self) -> None:
        if self._client is not None:
            self._client.close()
        for process in (*self.runners.values(), self.registry):
            process.end()

    def _process(self, name: str, module: str, prefix: str, settings: Mapping[str, object]) -> Process:
        variables = {f"{prefix}{key}": str(value) for key, value in settings.items()}
        command = [sys.executable, "-m", module]
        return Process(name, command, plain_environment() | variables, self.folder / f"{name}.log")


def plain_environment() -> dict[str, str]:
    """Return this process's environment without what would reach into the parts' own settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
