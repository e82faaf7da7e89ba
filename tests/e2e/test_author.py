"""From nothing to a trained model: docs/handlers.md is typed line by line, and what it promises is there."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from darkroom_client import open_dataset

from ..ports import free_port
from .house import plain_environment
from .photos import make_photos
from .process import Process, until

PAGE = Path(__file__).parents[2] / "docs" / "handlers.md"
LINE_TIMEOUT_S = 150.0
PHOTO_COUNT = 24


@dataclass
class Author:
    """Someone at a terminal, in a folder with photos; the second terminal is for `darkroom up`."""

    folder: Path
    server: str = field(default_factory=lambda: f"localhost:{free_port()}")
    said: dict[str, str] = field(default_factory=dict)
    up: Process | None = None

    def follow(self, text: str) -> None:
        """Do what the page's blocks say: write the files, type the lines."""
        for language, block in re.findall(r"^```(\w+)\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE):
            if language == "python":
                name = re.match(r"# (\S+\.py)\n", block)
                assert name is not None, "a file's block begins with its name"
                (self.folder / name[1]).write_text(block)
            elif language == "sh":
                for line in block.splitlines():
                    self.type(line)

    def type(self, line: str) -> None:
        """Type one line, and wait until it is done; what serves is started beside."""
        if line.startswith("darkroom up "):
            self.serve(line)
            return
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LINE_TIMEOUT_S,
            check=False,
        )
        served = self.up.log[-3000:] if self.up is not None else ""
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}\n{served}"
        self.said[line] = done.stdout + done.stderr

    def serve(self, line: str) -> None:
        # Its own port and home: whoever runs the tests may have a Darkroom up.
        words = [*shlex.split(line)[1:], "--listen", self.server, "--home", str(self.folder / "home")]
        command = [sys.executable, "-m", "darkroom_client", *words]
        self.up = Process("darkroom", command, self.variables, self.folder / "up.log")
        self.up.start()

        def is_up() -> bool:
            assert self.up is not None
            assert self.up.alive(), self.up.log
            return "Ctrl-C here stops it." in self.up.log

        until(is_up, "`darkroom up`", 90.0)

    @property
    def variables(self) -> dict[str, str]:
        beside = Path(sys.executable).parent
        return plain_environment() | {
            "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}",
            "DARKROOM_SERVER": self.server,
            "DARKROOM_CACHE": str(self.folder / "cache"),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "",
        }

    def line(self, beginning: str) -> str:
        """Return what the one line of that beginning said."""
        [found] = [said for line, said in self.said.items() if line.startswith(beginning)]
        return found


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Author]:
    """An author who has followed the page."""
    folder = tmp_path_factory.mktemp("author")
    make_photos(folder / "photos" / "street", PHOTO_COUNT)
    author = Author(folder)
    try:
        author.follow(section("From nothing to a trained model"))
        change(folder / "edges" / "edges_handler.py")
        author.follow(section("Versions"))
        yield author
    finally:
        if author.up is not None:
            author.up.end()


def section(title: str) -> str:
    parts = re.split(r"^## (.+)$", PAGE.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[title]


def change(handler: Path) -> None:
    """Change the default that the page speaks of."""
    text = handler.read_text()
    assert text.count("Integer(60, ") == 1
    handler.write_text(text.replace("Integer(60, ", "Integer(80, "))


@pytest.mark.timeout(600)
def test_a_sheet_of_the_uncommitted_code_is_drawn_before_anything_serves(author: Author) -> None:
    assert (author.folder / "sheet.png").read_bytes()[1:4] == b"PNG"
    said = author.line("darkroom handler try edges --raw photos=photos/street -n 20")
    assert f"samples   {PHOTO_COUNT}: " in said
    assert "image     JPEG 256x256x3" in said
    assert "(20 examples of 20 samples)" in said
    assert "2 passed" in author.line("python -m pytest edges")


def test_the_tag_is_shown_with_its_options_and_what_they_may_be(author: Author) -> None:
    said = author.line("darkroom handlers show edges/edges@v1")
    commit = git(author.folder / "edges", "rev-parse", "v1")
    assert re.search(rf"version +v1 \({commit[:12]}\)", said)
    assert re.search(r"python +3\.\d+\n +lock +[0-9a-f]{12}\n", said)
    assert re.search(
        r"  detail +integer +60 +--set detail=\d+\n +How fine the outlines are\n +takes a whole number", said
    )
    assert (author.folder / "preview.png").read_bytes()[1:4] == b"PNG"


def test_the_first_version_is_built_and_a_model_is_trained_on_it(author: Author) -> None:
    said = author.line("darkroom request edges v1")
    assert "Epoch 2/2" in said
    assert (author.folder / "colours.keras").stat().st_size > 0


def test_a_second_version_is_another_dataset_with_other_outlines(author: Author) -> None:
    first, second = author.line("darkroom resolve edges v2"), author.line("darkroom request edges v2")
    assert "miss" in first
    newer = open_dataset(Path(second.splitlines()[0]))
    assert sum(newer.splits.values()) == PHOTO_COUNT
    older = next(
        found
        for path in (author.folder / "cache" / "datasets").iterdir()
        if path != newer.path and (found := open_dataset(path)) is not None
    )
    assert older.manifest.preimage["commit"] == git(author.folder / "edges", "rev-parse", "v1")
    assert newer.manifest.preimage["commit"] == git(author.folder / "edges", "rev-parse", "v2")
    assert lines_drawn(newer) > lines_drawn(older)


def test_ctrl_c_ends_what_serves(author: Author) -> None:
    assert author.up is not None
    author.up.send(signal.SIGINT)
    assert author.up.wait(60.0) == 0


def lines_drawn(dataset: object) -> int:
    """Return how many pixels of the training photos are outlines."""
    return sum(int((example["outlines"] > 0).sum()) for example in dataset.as_numpy("train"))  # type: ignore[attr-defined]


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True).stdout.strip()
