"""`darkroom doctor` beside a real deployment: it finds each fault that is put in, and says what would do."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from service_kit.door import make_door
from service_kit.token_file import TokenFile

from .house import Finished, House
from .process import until


@dataclass
class Guarded:
    """A house behind TLS whose user has a token of her own."""

    house: House
    tokens: TokenFile
    token: str
    certificate: Path

    def variables(self, **more: str) -> dict[str, str]:
        # Nothing retouches here; the port beside the registry's may be anybody's.
        known = {"DARKROOM_TOKEN": self.token, "DARKROOM_INPAINTING": "localhost:1"}
        return known | {"DARKROOM_CERTIFICATE": str(self.certificate)} | more

    def doctor(self, *arguments: str, **more: str) -> Finished:
        return self.house.darkroom("doctor", *arguments, env=self.variables(**more))

    def checks(self, **more: str) -> tuple[int, dict[str, dict[str, Any]]]:
        done = self.doctor("--json", **more)
        assert done.json["ok"] is (done.code == 0)
        return done.code, {each["subject"]: each for each in done.json["checks"]}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    door = make_door(folder / "door")
    served = {"TLS_CERTIFICATE": door["certificate"], "TLS_KEY": door["key"], "TOKENS": door["tokens"]}
    tokens = TokenFile(Path(door["tokens"]))
    token = tokens.create("anna", ["request"], life_s=3 * 86_400)
    house = House(folder / "house", photos, None, **served)
    guarded = Guarded(house, tokens, token, Path(door["certificate"]))
    calls = {"REGISTRY_CA": door["certificate"], "REGISTRY_TOKEN_FILE": door["runner_token"]}
    try:
        house.registry.start()
        house.start_runner("runner-1", **calls)
        until(lambda: "stock/inpainting" in house.darkroom("handlers", env=guarded.variables()).out, "handlers", 60.0)
        yield guarded
    finally:
        house.end()


def test_a_whole_deployment_is_looked_at_and_what_will_end_is_named(guarded: Guarded) -> None:
    guarded.house.darkroom(
        "define", "street", "--handler", "stock/inpainting", "--raw", "photos=street", env=guarded.variables()
    ).ok()
    guarded.house.darkroom("request", "street", env=guarded.variables()).ok()
    code, found = guarded.checks()
    assert code == 0, found
    wanted = ("reach", "certificate", "clock", "database", "store", "store, from here", "runner runner-1")
    assert {name: found[name]["level"] for name in wanted} == dict.fromkeys(wanted, "ok")
    assert found["token"]["level"] == "warn"
    assert "'anna', which may request, for 3.0 days more" in found["token"]["text"]
    assert "came through the registry" in found["store, from here"]["text"]
    assert found["inpainting"]["level"] == "warn"


def test_a_runner_that_went_away_fails(guarded: Guarded) -> None:
    guarded.house.runner.stop()
    # A minute and more passes for the registry.
    with sqlite3.connect(guarded.house.folder / "registry" / "catalog.sqlite") as catalogue:
        catalogue.execute("UPDATE runners SET seen_time = seen_time - 100")
    code, found = guarded.checks()
    assert code == 1
    assert found["runner runner-1"]["level"] == "fail"
    assert "has not called since" in found["runner runner-1"]["text"]
    guarded.house.runner.start()
    until(lambda: guarded.checks()[0] == 0, "the runner's return")


def test_a_full_disk_fails(guarded: Guarded, tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "darkroom", str(tmp_path)]
    if (done := subprocess.run(mount, capture_output=True, text=True, check=False)).returncode:
        pytest.skip(f"needs a disk of its own, which cannot be mounted here: {done.stderr.strip()}")
    try:
        code, found = guarded.checks(DARKROOM_CACHE=str(tmp_path / "cache"))
    finally:
        subprocess.run(["umount", "--lazy", tmp_path], check=True)
    assert code == 1
    assert found["room for the cache"]["level"] == "fail"
    assert "darkroom cache gc" in found["room for the cache"]["remedy"]


def test_secrets_that_others_can_read_fail(guarded: Guarded, tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    make_door(tmp_path / "door")
    (tmp_path / "door" / "home.token").chmod(0o644)
    done = guarded.doctor("--home", str(tmp_path))
    assert done.code == 1
    assert f"fail  secrets: others can read {tmp_path}/door/home.token" in done.out
    assert "ok    reach: " in done.out
    assert "      -> ask the operator for another, then darkroom login " in done.out


def test_a_revoked_token_fails_and_nothing_else_is_tried(guarded: Guarded) -> None:
    lost = guarded.tokens.create("lost", ["read"])
    guarded.tokens.revoke("lost")
    code, found = guarded.checks(DARKROOM_TOKEN=lost)
    assert code == 1
    assert found["token"]["level"] == "fail"
    assert "the token 'lost' was revoked; ask for another and give it to `darkroom login`" in found["token"]["text"]
    assert "database" not in found


def test_a_registry_that_is_not_there_fails(guarded: Guarded) -> None:
    code, found = guarded.checks(DARKROOM_SERVER="localhost:1")
    assert code == 1
    assert found["reach"]["level"] == "fail"
