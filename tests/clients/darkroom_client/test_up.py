"""`darkroom up`: the real registry and runner, watched over."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image
from typer.testing import CliRunner

from darkroom_client import Client, up
from darkroom_client.command import app
from darkroom_client.errors import DarkroomError, PermissionDenied, Unavailable
from darkroom_client.logins import Invite
from darkroom_client.up import UpSettings

from ...ports import free_port


class UpProcess:
    """`darkroom up` as a process; its lines are kept."""

    def __init__(self, raw: Path, home: Path, host: str = "localhost") -> None:
        self.server = f"localhost:{free_port()}"
        self.home = home
        self.said = home.parent / f"{home.name}.out"
        command = [sys.executable, "-m", "darkroom_client", "up", "--raw", str(raw), "--home", str(home)]
        with open(self.said, "w") as said:
            listen = f"{host}:{self.server.rpartition(':')[2]}"
            self.process = subprocess.Popen([*command, "--listen", listen], stderr=said)

    def wait_for(self, words: str) -> str:
        for _ in range(900):
            text = self.said.read_text()
            if words in text:
                return text
            assert self.process.poll() is None, text
            time.sleep(0.1)
        raise AssertionError(f"{words!r} was not said: {text}")

    def parts(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def part(self, module: str) -> psutil.Process:
        return next(part for part in self.parts() if module in part.cmdline())

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(180)


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    """Two raw datasets of small photos."""
    root = tmp_path_factory.mktemp("raw")
    random = np.random.Generator(np.random.Philox(1))
    for name, count in (("street", 24), ("places", 3)):
        (root / name).mkdir()
        for number in range(count):
            pixels = random.integers(0, 256, (40, 60, 3), np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def running(raw, tmp_path_factory):
    process = UpProcess(raw, tmp_path_factory.mktemp("up") / "home")
    try:
        process.wait_for("Ctrl-C here stops it.")
        yield process
    finally:
        code = process.stop()
    assert code == 0


@pytest.fixture
def typed(running, tmp_path):
    """Type a `darkroom` command at the running registry."""

    def run(*arguments: str) -> str:
        environment = {"DARKROOM_SERVER": running.server, "DARKROOM_CACHE": str(tmp_path / "cache")}
        done = CliRunner().invoke(app, arguments, env=environment)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    return run


def test_it_says_what_it_serves_and_what_to_type_next(running):
    said = running.said.read_text()
    assert f"Darkroom is up at {running.server}" in said
    assert "street  24 files" in said
    assert "places  3 files" in said
    assert "stock/inpainting" in said
    assert " cores, " in said
    assert " free" in said
    assert f"export DARKROOM_SERVER={running.server}" in said
    assert "darkroom define places --handler stock/inpainting --raw photos=places" in said


def test_the_first_commands_of_a_new_user_work(typed, tmp_path):
    typed("define", "street", "--handler", "stock/inpainting", "--raw", "photos=street")
    typed("preview", "street", "latest", "--set", "image_size=32x32", "-n", "4", "-o", str(tmp_path / "sheet.png"))
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size[0] > 32
    settings = ["--set", "image_size=32x32", "--set", "variations_per_sample=2"]
    miss = json.loads(typed("resolve", "street", *settings, "--json"))
    built = json.loads(typed("request", "street", "latest", *settings, "--json"))
    assert (miss["hit"], built["cached"]) == (False, False)
    assert built["examples"] == 48
    again = json.loads(typed("request", "street", "--set", "variations_per_sample=2.0", *settings[:2], "--json"))
    assert (again["cached"], again["path"], again["key"]) == (True, built["path"], miss["key"])
    assert typed("get", "street").strip() == built["path"]
    assert built["digest"] in typed("show", "street")
    assert json.loads(typed("verify", "street", "--full", "--rebuild", "1", "--json"))["ok"]
    typed("logs", "street", "-f")
    assert built["key"][:12] in typed("ls")
    assert "street" in typed("raw", "ls")
    assert "mask_family" in typed("handlers", "show", "stock/inpainting")
    assert len(typed("raw", "scan", "street").strip()) == 64
    typed("pin", "street")
    assert json.loads(typed("unpin", "street", "--json"))["pinned"] is False
    typed("delete", "street")
    assert json.loads(typed("ls", "street", "--state", "ready", "--json"))["datasets"] == []


@pytest.mark.parametrize("module", ["handler_runner", "dataset_registry"])
def test_a_part_that_dies_is_started_again_with_a_line_that_says_so(running, module):
    name = module.split("_")[1]
    old = running.part(module)
    before = running.said.read_text().count(f"the {name} ended")
    old.kill()
    for _ in range(900):
        if running.said.read_text().count(f"the {name} ended (killed by SIGKILL); starting it again") > before:
            break
        time.sleep(0.1)
    with Client(running.server) as client:
        for _ in range(900):
            # A registry that is being started again is not there yet.
            with contextlib.suppress(Unavailable):
                assert client.list_runners()
                if any(module in part.cmdline() and part.pid != old.pid for part in running.parts()):
                    return
            time.sleep(0.1)
    raise AssertionError(running.said.read_text())


def refused(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["up", *arguments])
    return done.exit_code, done.stderr


def test_a_home_in_use_and_a_port_in_use_are_refused(running, raw, tmp_path):
    code, said = refused("--raw", str(raw), "--home", str(running.home), "--listen", "localhost:1")
    assert (code, "Permission denied" in said or "another `darkroom up` uses the home" in said) == (1, True)
    code, said = refused("--raw", str(raw), "--home", str(tmp_path), "--listen", running.server)
    assert code == 1
    assert " cannot be listened at" in said


def test_an_address_beyond_this_machine_brings_tls_tokens_and_an_invite(raw, tmp_path, monkeypatch):
    monkeypatch.setenv("DARKROOM_LOGINS", str(tmp_path / "logins.json"))
    running = UpProcess(raw, tmp_path / "home", host="0.0.0.0")
    try:
        said = running.wait_for("Ctrl-C here stops it.")
        invite = re.search(r"darkroom login (\S+) --invite (dri1_\S+)", said)
        assert invite
        with Client(running.server) as client:
            assert [dataset.name for dataset in client.list_raw_datasets()]
        monkeypatch.setenv("DARKROOM_LOGINS", str(tmp_path / "of-a-stranger.json"))
        with Client(running.server, patience_s=2.0) as stranger, pytest.raises(DarkroomError):
            stranger.list_raw_datasets()
        monkeypatch.setenv("DARKROOM_LOGINS", str(tmp_path / "of-a-guest.json"))
        guest = CliRunner().invoke(app, ["login", running.server, "--invite", invite[2]])
        assert guest.exit_code == 0, guest.output
        with Client(running.server) as client:
            assert [dataset.name for dataset in client.list_raw_datasets()]
            with pytest.raises(PermissionDenied, match="needs the scope 'admin'"):
                client.delete("0" * 64)
        known = Invite.parse(invite[2])
        wrong = str(Invite(known.fingerprint, known.token[:-4] + ("AAAA" if known.token[-4:] != "AAAA" else "BBBB")))
        monkeypatch.setenv("DARKROOM_LOGINS", str(tmp_path / "of-another.json"))
        other = CliRunner().invoke(app, ["login", running.server, "--invite", wrong])
        assert other.exit_code == 1
        assert not (tmp_path / "of-another.json").exists() or "{}" in (tmp_path / "of-another.json").read_text()
        assert (tmp_path / "home" / "door" / "key.pem").stat().st_mode & 0o077 == 0
    finally:
        running.stop()


@pytest.mark.parametrize("listen", ["50050", "localhost:", "localhost:99999", "localhost:x"])
def test_what_is_no_address_is_refused_with_an_example(raw, tmp_path, listen):
    code, said = refused("--raw", str(raw), "--home", str(tmp_path), "--listen", listen)
    assert code == 2
    assert "write HOST:PORT, for example localhost:50050" in said


def test_a_raw_folder_that_is_missing_or_a_file_is_refused(raw, tmp_path):
    assert refused("--raw", str(tmp_path / "nowhere"), "--home", str(tmp_path))[0] == 3
    (tmp_path / "file").touch()
    code, said = refused("--raw", str(tmp_path / "file"), "--home", str(tmp_path))
    assert (code, "name the folder that holds the photos" in said) == (2, True)


def test_the_light_client_says_what_to_install(raw, tmp_path, monkeypatch):
    monkeypatch.setattr(up, "NEEDED", ("dataset_registry", "a_package_that_is_not_installed"))
    code, said = refused("--raw", str(raw), "--home", str(tmp_path))
    assert code == 1
    assert "without a_package_that_is_not_installed; to serve datasets: pip install 'darkroom[all]'" in said


def test_the_parts_end_when_up_is_killed(raw, tmp_path):
    process = UpProcess(raw, tmp_path / "home")
    try:
        process.wait_for("Ctrl-C here stops it.")
        parts = process.parts()
        assert len(parts) == 3
    finally:
        process.process.kill()
        process.process.wait()
    _, alive = psutil.wait_procs(parts, timeout=20)
    assert alive == []


def test_each_part_gets_its_place_in_the_home_and_one_store(tmp_path):
    settings = UpSettings(tmp_path / "raw", tmp_path / "home", "0.0.0.0:7000", insecure=True)
    environments = settings.environments()
    assert environments["registry"]["DARKROOM_REGISTRY_LISTEN"] == "0.0.0.0:7000"
    assert environments["registry"]["DARKROOM_REGISTRY_INSECURE"] == "true"
    assert environments["runner"]["DARKROOM_RUNNER_REGISTRY"] == "localhost:7000"
    assert environments["runner"]["DARKROOM_RUNNER_RAW_ROOT"] == str(tmp_path / "raw")
    assert environments["inpainting"]["DARKROOM_INPAINTING_LISTEN"] == "0.0.0.0:7002"
    assert settings.inpainting_server == "localhost:7002"
    for part, environment in environments.items():
        assert environment[f"DARKROOM_{part.upper()}_STORE_DIR"] == str(tmp_path / "home" / "store")
