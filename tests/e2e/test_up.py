"""`darkroom up`: one command that serves, says what, watches over its parts, and leaves nothing behind."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ..ports import free_port
from .house import Finished, House
from .process import Process, until

MODULES = {"registry": "dataset_registry", "runner": "handler_runner", "inpainting": "inpainting"}


class Up:
    """A running `darkroom up`, and its client's view of it."""

    def __init__(self, folder: Path, raw: Path) -> None:
        self.house = House(folder, raw)
        self.home = folder / "home"
        command = [sys.executable, "-m", "darkroom_client", *self.arguments(self.house.server)]
        self.process = Process("up", command, self.house.variables(), folder / "up.log")
        self.process.start()
        self.wait_for("Ctrl-C here stops it.")

    def arguments(self, listen: str, home: Path | None = None) -> list[str]:
        return ["up", "--raw", str(self.house.raw), "--home", str(home or self.home), "--listen", listen]

    def wait_for(self, words: str) -> None:
        until(lambda: words in self.process.log, f"{words!r} from `darkroom up`", 120.0)

    def part(self, name: str) -> psutil.Process | None:
        """Return the living process of a part."""
        for child in psutil.Process(self.process.pid).children():
            if child.cmdline()[-1:] == [MODULES[name]]:
                return child
        return None

    def request(self, *arguments: str) -> Finished:
        return self.house.darkroom("request", "street", *arguments)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Iterator[Up]:
    up = Up(tmp_path_factory.mktemp("up"), photos)
    yield up
    up.process.end()
    up.house.end()


def test_it_says_what_it_serves_and_what_to_type_next_and_that_works(up):
    told = up.process.log
    assert f"Darkroom is up at {up.house.server}" in told
    assert re.search(r"raw +street +48 files", told)
    assert "stock/images, stock/inpainting" in told
    assert re.search(r"runner .*: \d+ cores, .*B free", told)
    [define] = re.findall(r"^  darkroom (define .*)$", told, re.MULTILINE)
    assert up.house.darkroom(*define.split()).ok()
    assert up.request("--json").ok().json["examples"] == 48


@pytest.mark.parametrize("name", MODULES)
def test_a_part_that_is_killed_is_started_again_with_a_line_that_says_so(up, name):
    part = up.part(name)
    part.kill()
    up.wait_for(f"the {name} ended (killed by SIGKILL); starting it again in ")
    until(lambda: (again := up.part(name)) and again.pid != part.pid, f"another {name}")
    until(lambda: up.house.darkroom("ls").code == 0, "an answer", 60.0)
    assert up.request("--set", f"seed={part.pid}", "--json").ok().json["cached"] is False


def test_it_retouches_photos_two_ports_further(up: Up, photos: Path, tmp_path: Path) -> None:
    server = re.search(r"retouch +(localhost:\d+)", up.process.log)
    assert server is not None
    assert int(server[1].split(":")[1]) == int(up.house.server.split(":")[1]) + 2
    photo = sorted((photos / "street").iterdir())[0]
    arguments = ["inpaint", str(photo), "--box", "100,60,40,50", "-o", str(tmp_path / "out.jpg")]
    done = up.house.darkroom(*arguments, env={"DARKROOM_INPAINTING": server[1]}).ok()
    assert done.out.strip() == str(tmp_path / "out.jpg")


def test_a_second_one_on_the_same_home_or_port_is_refused(up, tmp_path):
    second = up.house.darkroom(*up.arguments(f"localhost:{free_port()}"))
    assert second.code == 1
    assert f"error: another `darkroom up` uses the home {up.home}; stop it, or choose another" in second.err
    third = up.house.darkroom(*up.arguments(up.house.server, tmp_path))
    assert third.code == 1
    assert f"{up.house.server} cannot be listened at" in third.err
    assert up.request().ok()


def test_a_folder_that_is_none_is_refused(up, tmp_path):
    missing = up.house.darkroom("up", "--raw", str(tmp_path / "nowhere"), "--home", str(tmp_path))
    assert missing.code == 3
    assert f"error: --raw {tmp_path / 'nowhere'}: there is no such folder" in missing.err


def test_ctrl_c_stops_both_parts_in_order_and_the_home_can_be_used_again(up):
    parts = [up.part(name) for name in MODULES]
    up.process.send(signal.SIGINT)
    assert up.process.wait() == 0
    assert up.process.log.endswith("stopping\n")
    assert not any(part.is_running() for part in parts)
    up.process.start()
    until(lambda: up.process.log.count("Ctrl-C here stops it.") == 2, "a second life", 60.0)
    assert up.request("--json").ok().json["cached"] is True


def test_parts_do_not_outlive_it_however_it_dies(up):
    parts = [up.part(name) for name in MODULES]
    up.process.kill()
    until(lambda: not any(part.is_running() for part in parts), "the end of both parts")
