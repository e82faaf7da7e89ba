"""A run that is killed goes on where it was, with what has not changed since."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

CASES = 4
# Paints one grey, writes down that it did, and stays at the photo at which it is to be stopped.
PAINTER = """
import os, time
import numpy as np

def paint(images, masks):
    with open("painted", "a") as file:
        file.write("x")
    while os.path.exists("hold") and os.path.getsize("painted") == int(open("hold").read()):
        time.sleep(0.01)
    return np.full_like(images, {grey})
"""
COSTS = {"seconds", "peak_mb"}


class Workshop:
    """A folder with a painter of one's own, in which the command is run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.change(grey=0.25)

    def change(self, grey: float) -> None:
        (self.folder / "mine.py").write_text(PAINTER.format(grey=grey))

    def start(self) -> subprocess.Popen[str]:
        words = f"--families box --limit {CASES} --size 64x64 --methods mine.paint --out out"
        command = [sys.executable, "-m", "inpainting_models.evaluate", *words.split()]
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.Popen(command, cwd=self.folder, env=environment, stderr=subprocess.PIPE, text=True)

    def run(self) -> str:
        process = self.start()
        _, said = process.communicate(timeout=240)
        assert process.returncode == 0, said
        return said

    def stop(self, with_signal: signal.Signals, painted: int) -> tuple[int, str]:
        """Start a run and stop it at the photo of that number."""
        hold = self.folder / "hold"
        wanted = self.painted + painted
        hold.write_text(str(wanted))
        process = self.start()
        deadline = time.monotonic() + 120
        while self.painted < wanted:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(with_signal)
        _, said = process.communicate(timeout=60)
        hold.unlink()
        return process.returncode, said

    @property
    def painted(self) -> int:
        path = self.folder / "painted"
        return len(path.read_text()) if path.exists() else 0

    @property
    def rows(self) -> list[dict[str, Any]]:
        with (self.folder / "out" / "rows.csv").open() as file:
            return [{name: row[name] for name in row if name not in COSTS} for row in csv.DictReader(file)]

    @property
    def pictures(self) -> dict[str, bytes]:
        folder = self.folder / "out" / "pictures"
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.png"))}


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    workshop = Workshop(tmp_path_factory.mktemp("undisturbed"))
    workshop.run()
    return workshop


def test_a_killed_run_goes_on_and_ends_with_the_same_tables_and_pictures(workshop, undisturbed) -> None:
    workshop.stop(signal.SIGKILL, painted=3)
    journal = workshop.folder / "out" / "unfinished.jsonl"
    with journal.open("a") as file:
        file.write('\n{"of": "cut o')
    assert "results are there from a run that was stopped" in workshop.run()
    # Only the photo at which it was killed was painted twice.
    assert workshop.painted == CASES + 1
    assert workshop.rows == undisturbed.rows
    assert workshop.pictures == undisturbed.pictures
    assert (workshop.folder / "out" / "sheet.html").read_text().count("src='") == CASES * 8
    assert not journal.exists()


def test_ctrl_c_says_that_what_is_there_is_kept(workshop) -> None:
    code, said = workshop.stop(signal.SIGINT, painted=2)
    assert (code, "Traceback" in said) == (130, False)
    assert "the same command goes on there" in said
    workshop.run()
    assert workshop.painted == CASES + 1


def test_what_was_changed_since_or_has_lost_its_picture_is_measured_again(workshop) -> None:
    workshop.stop(signal.SIGKILL, painted=3)
    workshop.change(grey=0.75)
    for path in (workshop.folder / "out" / "pictures").glob("*/telea.png"):
        path.unlink()
    workshop.run()
    assert workshop.painted == 3 + CASES
    assert len(list((workshop.folder / "out" / "pictures").glob("*/telea.png"))) == CASES


def test_a_run_that_has_ended_is_measured_anew(undisturbed) -> None:
    before = undisturbed.painted
    assert "from a run that was stopped" not in undisturbed.run()
    assert undisturbed.painted == before + CASES
