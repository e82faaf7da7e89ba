"""Two registries on one catalogue, each with a certificate of its own: who logged in to both misses neither."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom_client.logins import Invite
from service_kit.door import make_door

from ..ports import free_port
from .house import House
from .process import Process, until

SHARDS_BEFORE = 2


class GuardedHouse(House):
    """A house with two registries that share catalogue, store and tokens, and no certificate."""

    def __init__(self, folder: Path, raw: Path) -> None:
        folder.mkdir(parents=True)
        self.doors = [make_door(folder / name) for name in ("door-a", "door-b")]
        # One file of tokens for both: the first one's.
        self.token = Path(self.doors[0]["invite_token"]).read_text().strip()
        super().__init__(folder, raw, None, **self.served(0), LEASE_S=5)
        self.servers = [self.server, f"localhost:{free_port()}"]
        settings = {"LISTEN": self.servers[1], "HOME": folder / "registry", "LEASE_S": 5}
        settings |= self.store | self.served(1)
        self.other: Process = self._process("registry-b", "dataset_registry", "DARKROOM_REGISTRY_", settings)
        self.here = {"DARKROOM_LOGINS": str(folder / "logins.json"), "DARKROOM_SERVER": ",".join(self.servers)}
        self.here["DARKROOM_INPAINTING"] = "localhost:1"

    def served(self, number: int) -> dict[str, str]:
        door = self.doors[number]
        tokens = self.doors[0]["tokens"]
        return {"TLS_CERTIFICATE": door["certificate"], "TLS_KEY": door["key"], "TOKENS": tokens}

    def end(self) -> None:
        super().end()
        self.other.end()


@pytest.fixture
def house(tmp_path: Path, photos: Path) -> Iterator[GuardedHouse]:
    house = GuardedHouse(tmp_path / "house", photos)
    try:
        house.registry.start()
        house.other.start()
        yield house
    finally:
        house.end()


def test_who_logged_in_to_both_registries_goes_on_with_either(house: GuardedHouse) -> None:
    authorities = house.folder / "both.pem"
    authorities.write_text("".join(Path(door["certificate"]).read_text() for door in house.doors))
    calls = {"REGISTRY_CA": authorities, "REGISTRY_TOKEN_FILE": house.doors[0]["runner_token"]}
    house.start_runner("runner-1", REGISTRY=",".join(house.servers), REGISTRY_HOST_NAME="darkroom", **calls)
    for server, door in zip(house.servers, house.doors, strict=True):
        words = ["login", server, "--invite", invite(door, house)]
        until(lambda words=words: house.darkroom(*words, env=house.here).code == 0, f"the login to {server}", 60.0)
    swapped = house.darkroom("login", house.servers[1], "--invite", invite(house.doors[0], house), env=house.here)
    assert "shows another certificate" in swapped.err
    until(lambda: "test/slow" in house.darkroom("handlers", env=house.here).out, "the handlers", 60.0)
    house.darkroom("define", "street", "--handler", "test/slow", "--raw", "photos=street", env=house.here).ok()
    with house.darkroom_running("request", "street", "--set", "delay_s=0.1", "--json", env=house.here) as request:
        until(lambda: files(house.store_folder) >= SHARDS_BEFORE, "the first shards", 60.0)
        house.registry.kill()
        assert request.wait(180) == 0, request.log
    seen = house.darkroom("doctor", "--json", env=house.here)
    assert seen.code == 1
    reached = [each["level"] for each in seen.json["checks"] if each["subject"] == "reach"]
    assert reached == ["fail", "ok"]
    [level] = [each["level"] for each in seen.json["checks"] if each["subject"] == "store, from here"]
    assert level == "ok"
    house.registry.start()
    until(lambda: house.darkroom("ls", "--server", house.server, env=house.here).code == 0, "the first one's return")
    house.other.kill()
    [dataset] = json.loads(house.darkroom("ls", "--json", env=house.here).ok().out)["datasets"]
    assert dataset["state"] == "READY"


def invite(door: dict[str, str], house: GuardedHouse) -> str:
    return str(Invite(door["fingerprint"], house.token))


def files(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*/*"))
