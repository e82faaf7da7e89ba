"""Photos here, training there: the README's lines, typed as written, over a line that is long, breaks and is cut."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ..chaos.clock import Clock
from .house import HANDLERS
from .photos import make_photos
from .process import Process, until
from .two_machines import TwoMachines, need_namespaces

README = (Path(__file__).parents[2] / "README.md").read_text()
OTHER_LANGUAGES = (Path(__file__).parents[2] / "docs" / "other_languages.md").read_text()
DELAY_MS = 50
LEASE_S = 2.0
# However long a cut was, so long after its end and a lease the build goes on.
HEALED_S = 30.0
DAY_S = 24 * 3600
MIB = 1 << 20
TRAIN = """
import os
from darkroom_client import open_dataset

dataset = open_dataset()
print(sum(1 for _ in dataset.as_numpy("train")), os.environ["DARKROOM_KEY"])
"""


def readme_block(words: str) -> str:
    """Return the README's block of commands in which the words stand."""
    blocks = re.findall(r"^```\w*\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return next(each for each in blocks if words in each)


class Lab(TwoMachines):
    """Two machines with `darkroom up` running at the studio."""

    def __init__(self, folder: Path, photos: Path) -> None:
        super().__init__(folder)
        try:
            self._serve(photos)
        except BaseException:
            self.end()
            raise

    def _serve(self, photos: Path) -> None:
        shutil.copytree(photos, self.studio.home / "photos")
        [up] = re.findall(r"`(darkroom up [^`]*--listen[^`]*)`", README)
        settings = {
            "DARKROOM_REGISTRY_LEASE_S": str(LEASE_S),
            "DARKROOM_RUNNER_LOCAL_REPOSITORIES": json.dumps({"test": str(HANDLERS)}),
            "DARKROOM_RUNNER_WORKERS": "2",
        }
        self.up: Process = self._ended.enter_context(
            self.studio.running("up", "bash", "-euc", f"exec {up}", env=settings)
        )
        until(lambda: "Ctrl-C here stops it." in self.up.log or not self.up.alive(), "`darkroom up`", 90.0)
        assert self.up.alive(), self.up.log
        self.tell(f"delay_ms {DELAY_MS}")

    @property
    def told(self) -> str:
        """The line to type on the training machine, as `up` prints it."""
        [line] = re.findall(r"^ +(darkroom login .*)$", self.up.log, re.MULTILINE)
        return str(line)

    @property
    def data(self) -> Path:
        """The home of the studio's `darkroom up`."""
        return self.studio.home / ".local" / "share" / "darkroom"

    def here(self, text: str) -> str:
        """Put the line's near end for the name that a text has for the studio."""
        return re.sub(r"(darkroom login |=)\S+:50050", rf"\g<1>{self.server}", text)

    @property
    def shell(self) -> dict[str, str]:
        """What the README has the lab's user export."""
        [name, value] = re.findall(r"export (\S+)=(\S+)", self.here(readme_block("darkroom login")))[0]
        return {name: value}

    def committed_shards(self) -> int:
        """Return how many shards of builds under way the studio's catalogue has."""
        with closing(sqlite3.connect(f"file:{self.data}/registry/catalog.sqlite?mode=ro", uri=True)) as catalogue:
            return int(catalogue.execute("SELECT count(*) FROM shards").fetchone()[0])

    def store_files(self) -> set[Path]:
        return {path for path in (self.data / "store").rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Iterator[Lab]:
    need_namespaces()
    lab = Lab(tmp_path_factory.mktemp("machines") / "two", photos)
    try:
        lab.lab.type(lab.here(lab.told)).ok()
        yield lab
    finally:
        lab.end()


def test_the_lines_of_the_readme_work_at_the_lab_as_they_are_written(lab: Lab) -> None:
    home = lab.lab.home
    assert re.fullmatch(r"darkroom login \S+:50050 --invite dri1_\S+", lab.told)
    assert "localhost" not in lab.told
    (home / "config.yaml").write_text("image_size: [64, 64]\n")
    (home / "train.py").write_text(TRAIN)
    login = lab.here(readme_block("darkroom login")).replace("dri1_...", lab.told.split()[-1])
    done = lab.lab.type(login + readme_block("darkroom define")).ok()
    examples, key = done.out.split()[-2:]
    assert int(examples) > 0
    assert (home / "sheet.png").read_bytes().startswith(b"\x89PNG")
    # What the lab has is what the studio sees.
    [seen] = lab.studio.type("darkroom ls --json").ok().json["datasets"]
    assert seen["key"] == key
    assert seen["download_count"] == 1
    logins = home / ".config" / "darkroom" / "logins.json"
    assert logins.stat().st_mode & 0o777 == 0o600


def test_photos_are_retouched_over_the_same_line_without_another_setting(lab: Lab) -> None:
    shutil.copyfile(lab.studio.home / "photos" / "street" / "000.jpg", lab.lab.home / "photo.jpg")
    [line] = re.findall(r"^ +(darkroom inpaint .*)$", lab.up.log, re.MULTILINE)
    # The photo that is told of is larger.
    smaller = line.replace("820,400,300,500", "100,60,40,50")
    assert lab.lab.type(smaller, env=lab.shell).ok().out.strip() == "out.jpg"
    assert (lab.lab.home / "out.jpg").read_bytes() != (lab.lab.home / "photo.jpg").read_bytes()


def test_another_language_gets_in_with_certificate_and_token_as_its_document_says(lab: Lab) -> None:
    create = f"python -m service_kit.tokens create {lab.data}/door/tokens.json --name other --scope read"
    token = lab.studio.type(create).ok().out.split()[-1]
    shutil.copyfile(lab.data / "door" / "certificate.pem", lab.lab.home / "certificate.pem")
    [script] = re.findall(r"^```bash\n(.*?)^```$", OTHER_LANGUAGES, re.DOTALL | re.MULTILINE)
    script = script.replace("studio:50050", lab.server)
    answer = json.loads(lab.lab.type(script, env={"TOKEN": token}).ok().out)
    assert "street" in [each["name"] for each in answer["rawDatasets"]]
    assert lab.lab.type(script, env={"TOKEN": token[:-1]}).code != 0


def test_who_never_logged_in_is_told_what_to_type(lab: Lab) -> None:
    stranger = {"HOME": str(lab.lab.home / "stranger"), **lab.shell}
    said = lab.lab.type("darkroom ls", env=stranger)
    assert said.code == 1
    assert f"{lab.server} answers by TLS, and this machine has no login to it" in said.err


@pytest.mark.parametrize("ahead_s", [-DAY_S, DAY_S])
def test_a_training_machine_whose_clock_is_a_day_off_is_served_and_told(lab: Lab, tmp_path: Path, ahead_s: int) -> None:
    clock = Clock(tmp_path / "clock")
    clock.set(ahead_s)
    shell = lab.shell | clock.preloaded
    assert "street" in lab.lab.type("darkroom raw ls", env=shell).ok().out
    [found] = [
        each for each in lab.lab.type("darkroom doctor --json", env=shell).json["checks"] if each["subject"] == "clock"
    ]
    assert found["level"] == "fail"


def test_a_download_goes_on_through_resets_and_a_cut_and_fetches_nothing_twice(lab: Lab) -> None:
    lab.lab.type("darkroom define files --handler test/seed --raw photos=street", env=lab.shell).ok()
    sizes = f"--set small_files=20 --set large_bytes={32 * MIB}"
    key = lab.studio.type(f"darkroom request files {sizes} --json").ok().json["key"]
    before = lab.tell(f"reset_each {6 * MIB}")
    with lab.lab.running("get", "darkroom", "get", key, "--json", env=lab.shell) as get:
        until(lambda: lab.tell("count")["back_bytes"] - before["back_bytes"] > 12 * MIB, "the first third")
        with lab.cut(lab.lab):
            until(lambda: is_silent(lab), "the silence of a line that is cut")
            assert get.alive()
        lab.tell("reset")
        assert get.wait(180) == 0, get.log
    after = lab.tell("reset_each 0")
    assert after["reset_count"] - before["reset_count"] >= 4
    size_bytes = sum(path.stat().st_size for path in (lab.lab.home / ".cache/darkroom/datasets").rglob("large*"))
    assert lab.lab.type("darkroom cache verify").ok()
    # What a reset threw away on the way is sent again, and no more: pieces of the line, frames of the protocol.
    assert after["back_bytes"] - before["back_bytes"] < size_bytes + 32 * MIB + 10 * MIB


def test_three_leases_without_the_line_in_mid_build_harm_nothing(lab: Lab) -> None:
    make_photos(lab.lab.home / "photos" / "far", 60)
    door = lab.data / "door"
    settings = {
        "REGISTRY": lab.server,
        "REGISTRY_CA": str(door / "certificate.pem"),
        "REGISTRY_HOST_NAME": "darkroom",
        "REGISTRY_TOKEN_FILE": str(door / "runner.token"),
        "NAME": "lab",
        "RAW_ROOT": str(lab.lab.home / "photos"),
        "HOME": str(lab.lab.home / "runner"),
        "WORKERS": "2",
        "STORE_DIR": str(lab.data / "store"),
        "LOCAL_REPOSITORIES": json.dumps({"test": str(HANDLERS)}),
    }
    variables = {f"DARKROOM_RUNNER_{name}": value for name, value in settings.items()}
    request = ["darkroom", "request", "far", "--set", "delay_s=0.25", "--json"]
    with lab.lab.running("runner", "python", "-m", "handler_runner", env=variables) as runner:
        until(lambda: "far" in lab.studio.type("darkroom raw ls").out, "the lab's photos", 120.0, 0.5)
        lab.studio.type("darkroom define far --handler test/slow --raw photos=far").ok()
        there = lab.store_files()
        with (
            lab.studio.running("waits-here", *request) as here,
            lab.lab.running("waits-there", *request, env=lab.shell) as far,
        ):
            until(lambda: len(lab.store_files() - there) >= 2, "the first shards", 120.0)
            with lab.cut(lab.lab):
                said = len(here.log)
                time.sleep(3 * LEASE_S)
                committed = lab.committed_shards()
                until(lambda: "queued" in here.log[said:], "that the studio misses the lab's runner")
                assert runner.alive()
                assert far.alive()
            healed_s = time.monotonic()
            until(lambda: lab.committed_shards() != committed, "that the build goes on", LEASE_S + HEALED_S)
            print(f"the build went on {time.monotonic() - healed_s:.1f} s after the line was whole again")
            assert here.wait(180) == far.wait(180) == 0, here.log + far.log
        assert runner.alive()
        found = lab.studio.type("darkroom show far --json").ok().json
        assert found["request_count"] == 2
        checked = lab.studio.type("darkroom verify far --full --rebuild 2 --json").ok().json
        assert checked["ok"] is True
        assert checked["shards_rebuilt"] == 2


def is_silent(lab: Lab) -> bool:
    """Whether nothing comes over the line for half a second."""
    before = lab.tell("count")
    time.sleep(0.5)
    return lab.tell("count") == before
