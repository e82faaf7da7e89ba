"""A hostile repository: it tries everything at install, at import and at run, gets nothing, and harms nobody."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from darkroom_client import DarkroomError
from handler_runner.sandbox_limits import SandboxLimits
from handler_runner.sandbox_probes import open_sandbox

from ..git_repositories import Repository
from .house import House
from .photos import make_photos
from .process import until

HOSTILE = Path(__file__).with_name("hostile")
MIB = 1024 * 1024
# Small, so that each is reached in a moment; a build of good faith fits.
LIMITS = {
    "SANDBOX_MEMORY_BYTES": 768 * MIB,
    "SANDBOX_PROCESSES": 40,
    "SANDBOX_FILE_BYTES": 32 * MIB,
    "SANDBOX_FOLDER_BYTES": 64 * MIB,
    "SANDBOX_LOG_BYTES": 2 * MIB,
    "SANDBOX_COMMAND_S": 15,
}
# What runs outside without harm, to see that the attacks are real.
HARMLESS = (
    *("password_file", "users", "secret_beside_the_raw_root", "other_raw_data", "catalogue", "home_of_the_runner"),
    *("store", "works_of_others", "own_variables", "variables_of_processes", "process_list", "signal_to_the_runner"),
    *("registry_by_tcp", "listener_by_tcp", "listener_by_unix_socket", "listener_by_abstract_socket", "link_out"),
)
# A handler, the class of its failure, and what the message names.
BREACHES = [
    ("fork_bomb", "LIMIT_EXCEEDED", "40 for processes and threads (DARKROOM_RUNNER_SANDBOX_PROCESSES)"),
    ("memory", "OUT_OF_MEMORY", "768 MiB for the memory of one process (DARKROOM_RUNNER_SANDBOX_PROCESS_MEMORY"),
    ("memory_of_many", "OUT_OF_MEMORY", "768 MiB for the memory of all its processes (DARKROOM_RUNNER_SANDBOX_MEMORY"),
    ("large_file", "LIMIT_EXCEEDED", "32 MiB for the size of one file (DARKROOM_RUNNER_SANDBOX_FILE_BYTES)"),
    ("many_files", "LIMIT_EXCEEDED", "64 MiB for the size of its folder (DARKROOM_RUNNER_SANDBOX_FOLDER_BYTES)"),
    ("long_log", "LIMIT_EXCEEDED", "2 MiB for what one command prints (DARKROOM_RUNNER_SANDBOX_LOG_BYTES)"),
    ("endless", "LIMIT_EXCEEDED", "15 s for the time of one command (DARKROOM_RUNNER_SANDBOX_COMMAND_S)"),
    ("link_as_shard", "HANDLER_ERROR", "is no file below the folder that it was given"),
    ("link_as_file", "HANDLER_ERROR", "is no file below the folder that it was given"),
    ("forged_plan", "HANDLER_ERROR", "the handler's process gave no answer to plan: shards.0.split"),
    ("forged_failure", "HANDLER_ERROR", "x" * 100),
    ("garbage", "HANDLER_ERROR", "the handler's process broke the protocol with the runner"),
]


@dataclass
class Place:
    """A Darkroom beside which there are things to be stolen."""

    house: House
    outside: dict[str, Any]
    mark: Path

    def request(self, name: str) -> Any:
        """Define a dataset of a hostile handler and request it."""
        self.house.client.define(name, f"hostile/{name}", {"photos": "street"})
        return self.house.client.request_dataset(name, "main")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("hostile")
    level = open_sandbox(folder / "probes", SandboxLimits()).level
    if not level.full:
        pytest.skip(f"no full sandbox here: {level}")
    raw = folder / "photos"
    make_photos(raw / "street", 4)
    make_photos(raw / "private", 2)
    (folder / "secret").write_text("nobody's business")
    repositories = {name: {"url": f"file://{folder / name}"} for name in ("hostile", "dependency")}
    settings = {"REPOSITORIES": json.dumps(repositories)}
    house = House(folder / "house", raw, **settings)
    with contextlib.ExitStack() as opened:
        outside = {
            "canary": uuid.uuid4().hex,
            "secret": str(folder / "secret"),
            "mark": str(folder / "mark"),
            "house": str(house.folder),
            "raw": str(raw / "street"),
            "other_raw": str(raw / "private"),
            "registry": int(house.server.rpartition(":")[2]),
            "victim": os.getpid(),
            "disk": os.stat(folder).st_dev,
            **_listeners(folder, opened),
        }
        _make_repositories(folder, outside)
        opened.callback(house.end)
        house.registry.start()
        # The secret stands among the runner's own settings, where the keys of a store would stand.
        house.start_runner(**settings, **LIMITS, STORE_SECRET_KEY=outside["canary"])
        house.wait_for_handlers()
        yield Place(house, outside, folder / "mark")


def _listeners(folder: Path, opened: contextlib.ExitStack) -> dict[str, Any]:
    """Have somebody listen in each way that a process of this machine may be reached."""
    name = f"hostile-{uuid.uuid4().hex[:12]}"
    path = Path("/tmp", f"{name}.socket")
    opened.callback(path.unlink, missing_ok=True)
    addresses: list[tuple[int, Any]] = [
        (socket.AF_INET, ("127.0.0.1", 0)),
        (socket.AF_UNIX, str(path)),
        (socket.AF_UNIX, f"\0{name}"),
    ]
    listeners = []
    for family, address in addresses:
        listener = opened.enter_context(socket.socket(family, socket.SOCK_STREAM))
        listener.bind(address)
        listener.listen()
        listeners.append(listener)
    return {"tcp": listeners[0].getsockname()[1], "unix": str(path), "abstract": name}


def _make_repositories(folder: Path, outside: dict[str, Any]) -> None:
    attacks, told = (HOSTILE / "attacks.py").read_text(), json.dumps(outside)
    # What a repository may bring along in the hope that git takes it for its own settings.
    bait = {
        ".gitattributes": "* filter=pwn diff=pwn export-subst\n",
        ".gitmodules": '[submodule "x"]\npath = x\nurl = "../dependency"\n',
        "config": f"[core]\n\tfsmonitor = touch {outside['mark']}\n\thooksPath = hooks\n",
        "hooks/post-checkout": f"#!/bin/sh\ntouch {outside['mark']}\n",
    }
    dependency = Repository(
        folder / "dependency",
        {
            "attacks.py": attacks,
            "outside.json": told,
            "backend.py": (HOSTILE / "backend.py").read_text(),
            "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
            "[project]\nname = 'hostile-dependency'\nversion = '1.0'\n",
        },
    )
    needed = f"hostile-dependency @ git+file://{dependency.url}@{dependency.commit}"
    hostile = Repository(
        folder / "hostile",
        {
            "hostile_handlers/__init__.py": (HOSTILE / "handlers.py").read_text(),
            "hostile_handlers/attacks.py": attacks,
            "hostile_handlers/outside.json": told,
            "pyproject.toml": f"[project]\nname = 'hostile'\nversion = '1'\ndependencies = ['numpy', '{needed}']\n",
            **bait,
        },
    )
    hostile.git("checkout", "--quiet", "-b", "poisoned")
    hostile.change({".gitmodules": f'[submodule "x"]\npath = x\nurl = ../x\nupdate = !touch {outside["mark"]}\n'})
    hostile.git("checkout", "--quiet", "main")


def test_the_attacks_are_real(place):
    """An attack that gets nothing where nobody is confined proves nothing."""
    attacks = place.house.folder.parent / "dependency"
    code = "import json, sys; sys.path.insert(0, sys.argv[1]); from attacks import attack; "
    code += "print(json.dumps(attack(sys.argv[2:])))"
    variables = {"PATH": os.environ["PATH"], "CANARY": place.outside["canary"]}
    done = subprocess.run(
        [sys.executable, "-c", code, attacks, *HARMLESS], env=variables, capture_output=True, check=True, timeout=60
    )
    found = json.loads(done.stdout)
    assert set(found) == set(HARMLESS)
    assert [name for name, got in found.items() if not got] == []


def test_it_gets_nothing_at_install_at_import_and_at_run(place):
    dataset = place.request("attack").get()
    rows = [row for split in dataset.splits for row in dataset.as_numpy(split)]
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        stage, attack, got = (_words(row[name]) for name in ("stage", "attack", "got"))
        found.setdefault(stage, {})[attack] = got
    assert set(found) == {"install", "import", "run"}
    # A build has a copy of its own to work in; the sources that others import are not it.
    assert (
        place.house.folder / "runner-1/environments/scratch" in Path(found["install"].pop("own_sources")[12:]).parents
    )
    for stage, attacks in found.items():
        assert len(attacks) >= 50, stage
        assert {name: got for name, got in attacks.items() if got} == {}, stage
    # What it printed in the protocol's form, before and in the middle, is log and nothing else.
    assert len(rows) == 1 + sum(map(len, found.values()))
    assert not place.mark.exists()
    assert sorted(path.name for path in Path(place.outside["raw"]).iterdir()) == [f"{n:03}.jpg" for n in range(4)]


def test_what_breaks_a_rule_fails_with_its_class_and_others_build_on(place):
    client = place.house.client
    requests = {name: place.request(name) for name, _, _ in BREACHES}
    client.define("good", "stock/inpainting", {"photos": "street"})
    good = client.request_dataset("good", dataset_config={"image_size": [16, 16]})
    for name, failure_class, said in BREACHES:
        with pytest.raises(DarkroomError) as caught:
            requests[name].get()
        assert (name, caught.value.reason) == (name, failure_class), caught.value
        assert said in str(caught.value), name
    assert sum(good.get().splits.values()) > 0
    assert place.house.runner.alive()
    assert not place.mark.exists()
    # Nothing of them goes on: whatever the sandbox holds now are workers that wait.
    until(lambda: _busy_children(place) == [], "the end of all that they started")


def test_the_canary_is_nowhere_in_what_came_out(place):
    canary = place.outside["canary"].encode()
    for path in (place.house.folder / "store").rglob("*"):
        assert not path.is_file() or canary not in path.read_bytes()
    for log in place.house.folder.glob("*.log"):
        assert canary not in log.read_bytes()


@pytest.mark.parametrize(
    "version", ["--upload-pack=touch /tmp/pwned", "ext::sh -c id", "main\n--output=x", "../main", "a..b"]
)
def test_a_version_that_is_an_argument_is_refused(place, version):
    place.house.client.define("injected", "hostile/attack", {"photos": "street"})
    with pytest.raises(DarkroomError) as caught:
        place.house.client.request_dataset("injected", version)
    assert type(caught.value).__name__ == "InvalidArgument"


def _words(value: Any) -> str:
    value = value.item() if hasattr(value, "item") else value
    return value.decode() if isinstance(value, bytes) else str(value)


def _busy_children(place: Place) -> list[str]:
    """Return the command lines below the runner's sandboxes, but for workers that serve."""
    found = []
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(place.house.runner.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                line = " ".join(child.cmdline())
                if "bwrap" not in line and "dataset_handlers.child" not in line and "read -r verb group" not in line:
                    found.append(line)
    return found
