"""The demo's retouching: every strategy over a real service, one sheet, and plain words where no photo is to be had."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import skimage
from PIL import Image

from ..ports import free_port

DEMO = Path(__file__).parents[2] / "demo"
BOX = "200,60,60,40"


@pytest.fixture
def retouching(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    # The demo's files find one another because Python puts a script's folder on the path.
    monkeypatch.syspath_prepend(str(DEMO))
    import retouch

    return retouch


@pytest.fixture
def default_photo(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(DEMO))
    import default_photo

    return default_photo


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    address = f"localhost:{free_port()}"
    settings = {"LISTEN": address, "HOME": str(tmp_path / "home"), "STORE_DIR": str(tmp_path / "store")}
    with (tmp_path / "service.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "inpainting"],
            env=os.environ | {f"DARKROOM_INPAINTING_{name}": value for name, value in settings.items()},
            stdout=log,
            stderr=log,
        )
    monkeypatch.setenv("DARKROOM_INPAINTING", address)
    try:
        host, port = address.split(":")
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex((host, int(port))) == 0:
                    break
            assert process.poll() is None, (tmp_path / "service.log").read_text()
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


@pytest.mark.usefixtures("service")
def test_each_strategy_leaves_a_result_and_its_tile(
    retouching: ModuleType, default_photo: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    photo = tmp_path / "rocket.png"
    with Image.open(Path(skimage.__file__).parent / "data" / "rocket.jpg") as image:
        image.resize((320, 214)).save(photo)

    code = retouching.retouch(default_photo.MarkedPhoto(photo, BOX, ("6 0,0 40,30",)), tmp_path / "out")

    printed = capfd.readouterr()
    assert code == 0, printed.err
    before, marked = np.asarray(Image.open(photo)), np.zeros((214, 320), bool)
    marked[60:100, 200:260] = True
    marked[:40, :50] = True
    for model, strategy in retouching.RUNS:
        assert f"--model {model} --strategy {strategy}" in printed.out
        after = np.asarray(Image.open(tmp_path / "out" / f"{model}-{strategy}.png"))
        assert np.array_equal(after[~marked], before[~marked])
        assert not np.array_equal(after[60:100, 200:260], before[60:100, 200:260])
    assert "painting" in printed.err, "each run shows its progress"
    with Image.open(tmp_path / "out" / "sheet.png") as sheet:
        assert sheet.width > 3 * 400


def test_a_caption_says_model_strategy_passes_and_seconds(retouching: ModuleType) -> None:
    facts = {"how": "patchmatch, two_step", "pass_count": 2, "elapsed": 1.84}
    assert retouching.caption(facts) == "patchmatch, two_step, 2 passes, 1.8 s"
    assert retouching.caption(facts | {"pass_count": 1}) == "patchmatch, two_step, 1 pass, 1.8 s"


def test_without_apt_it_is_said_that_the_default_photo_cannot_be_had(
    default_photo: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LookupError, match="there is no apt-get here"):
        default_photo.default_photo(tmp_path / "photo")


def test_an_apt_that_fails_is_quoted(
    default_photo: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, said in {"apt-get": "E: Unable to locate package", "dpkg-deb": ""}.items():
        command = tmp_path / name
        command.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 100\n")
        command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(LookupError, match="E: Unable to locate package"):
        default_photo.default_photo(tmp_path / "photo")


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb packs the package")
def test_the_photo_and_its_licence_are_taken_out_of_the_package(default_photo: ModuleType, tmp_path: Path) -> None:
    tree, folder = tmp_path / "tree", tmp_path / "photo"
    folder.mkdir()
    for path, name in default_photo.FILES.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(name)
    (tree / "usr" / "share" / "other.jpg").write_text("stays in the package")
    (tree / "DEBIAN").mkdir()
    control = (
        "Package: made\nVersion: 1\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: made\n"
    )
    (tree / "DEBIAN" / "control").write_text(control)
    package = tmp_path / "made.deb"
    subprocess.run(["dpkg-deb", "--build", tree, package], check=True, capture_output=True)

    default_photo.unpack(package, folder)

    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        name: name for name in default_photo.FILES.values()
    }
    package.write_bytes(b"no package")
    with pytest.raises(LookupError, match=r"made\.deb cannot be read"):
        default_photo.unpack(package, folder)


@pytest.mark.parametrize("words", [["--photo", "photo.jpg"], ["--box", BOX], ["--photo", "none.jpg", "--box", BOX]])
def test_half_of_photo_and_box_is_refused_before_anything_starts(words: list[str], tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, DEMO / "demo.py", "--output", tmp_path, *words], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert "PHOTO=FILE BOX=X,Y,W,H" in ran.stderr
