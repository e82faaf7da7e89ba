"""What `docs/inpainting.md` tells is run as it stands there: by `buf curl`, by generated stubs, by the SDK."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpainting.model_loading import read_io
from inpainting.strategies import STRATEGIES
from inpainting_models import painters

from .inpainting_house import InpaintingHouse

DOCUMENT = (Path(__file__).parents[2] / "docs" / "inpainting.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InpaintingHouse]:
    house = InpaintingHouse(tmp_path_factory.mktemp("document"))
    try:
        yield house.start()
    finally:
        house.end()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the photo that the document speaks of: a slope of grey with grain, which is filled at once."""
    slope = np.linspace(60, 200, 2832)[None, :, None] + np.random.default_rng(0).normal(0, 2, (2128, 2832, 3))
    Image.fromarray(np.clip(slope, 0, 255).astype(np.uint8)).save(tmp_path / "photo.jpg")
    return tmp_path


def run(house: InpaintingHouse, place: Path, *command: str) -> str:
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=place,
        env=house.variables() | {"PATH": tools},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_shell_block_lists_models_and_fills_a_photo(house: InpaintingHouse, place: Path) -> None:
    [script] = blocks("sh")
    listed = run(house, place, "bash", "-euc", script.replace("localhost:50052", house.server))
    assert '"name": "auto"' in listed
    with Image.open(place / "out.jpg") as filled:
        assert filled.size == (2832, 2128)


def test_the_python_blocks_run(house: InpaintingHouse, place: Path) -> None:
    sdk, stubs = blocks("python")
    printed = run(house, place, sys.executable, "-c", sdk).splitlines()
    assert [line.split()[0] for line in printed] == ["0", "1", "2"]
    printed = run(house, place, sys.executable, "-c", stubs.replace("localhost:50052", house.server)).split()
    assert printed[-1] == "result"
    assert "progress" in printed


def test_the_description_of_a_model_file_is_one() -> None:
    [text] = blocks("yaml")
    found = read_io(text)
    assert (found.training_size, found.multiple, found.layout) == ((512, 680), 8, "nchw")


def test_every_model_and_strategy_has_its_line() -> None:
    for name in (*painters.NAMES, *STRATEGIES):
        assert f"`{name}`" in DOCUMENT, f"docs/inpainting.md does not tell of {name}"
