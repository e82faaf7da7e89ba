"""A really built archive, and a small registry process that serves it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from darkroom_client.command import app
from dataset_handlers.example import encode_example
from dataset_handlers.tfrecord import write_record
from handler_runner.archive import ShardEntry, local_header, manifest_bytes, tail_bytes

from ...ports import free_port

KEY = "ab" * 32
FEATURES = {
    "image": {"dtype": "bytes", "shape": [], "encoding": "png", "image_shape": [8, 8, 3]},
    "label": {"dtype": "int64", "shape": []},
    "box": {"dtype": "float32", "shape": [4]},
    "noise": {"dtype": "bytes", "shape": [], "encoding": "raw", "raw_dtype": "uint8", "raw_shape": [-1]},
    "name": {"dtype": "bytes", "shape": [], "encoding": "utf8"},
    "tags": {"dtype": "int64", "shape": [None]},
}
NOISE_BYTES = 4096


def example(number: int, noise_bytes: int) -> bytes:
    """One example whose content follows from its number."""
    pixels = np.full((8, 8, 3), number % 256, np.uint8)
    picture = io.BytesIO()
    Image.fromarray(pixels).save(picture, "PNG")
    noise = np.random.Generator(np.random.Philox(number)).bytes(noise_bytes)
    return encode_example(
        {
            "image": picture.getvalue(),
            "label": number,
            "box": np.arange(4, dtype=np.float32) + number,
            "noise": noise,
            "name": f"photo-{number}".encode(),
            "tags": np.arange(1 + number % 3, dtype=np.int64),
        }
    )


def build_archive(home: Path, splits: dict[str, list[int]], noise_bytes: int = NOISE_BYTES) -> None:
    """Write `archive.zip` and `facts.json`; ``splits`` gives each shard's number of examples."""
    features = json.loads(json.dumps(FEATURES))
    features["noise"]["raw_shape"] = [noise_bytes]
    number, entries, bodies = 0, [], {}
    for split, counts in sorted(splits.items()):
        for index, count in enumerate(counts):
            file = io.BytesIO()
            for _ in range(count):
                write_record(file, example(number, noise_bytes))
                number += 1
            body = file.getvalue()
            digest = hashlib.sha256(body).hexdigest()
            entries.append(ShardEntry(split, index, len(body), digest, zlib.crc32(body), count))
            bodies[entries[-1].name] = body
    manifest = manifest_bytes(key=KEY, dataset_name="street", preimage={}, entries=entries, features=features)
    tail, manifest_offset, size_bytes = tail_bytes(entries, manifest)
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "archive.zip", "wb") as archive:
        for entry in sorted(entries, key=lambda entry: entry.name):
            archive.write(local_header(entry.name, entry.size_bytes, entry.crc32) + bodies[entry.name])
        archive.write(tail)
    facts = {
        "key": KEY,
        "digest": hashlib.sha256(manifest).hexdigest(),
        "examples": number,
        "size_bytes": size_bytes,
        "shards": len(entries),
        "splits": {split: sum(counts) for split, counts in splits.items()},
        "manifest_offset": manifest_offset,
        "manifest_size_bytes": len(manifest),
    }
    (home / "facts.json").write_text(json.dumps(facts))


class RegistryProcess:
    """The small registry as a process; its `home` folder is how a test speaks to it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.server = f"localhost:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def facts(self) -> dict:
        return json.loads((self.home / "facts.json").read_text())

    def start(self) -> None:
        (self.home / "ready").unlink(missing_ok=True)
        script = Path(__file__).with_name("small_registry.py")
        self.process = subprocess.Popen([sys.executable, str(script), str(self.home), str(self.port)])
        while not (self.home / "ready").exists():
            assert self.process.poll() is None
            time.sleep(0.02)

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def set(self, name: str, value: object = "") -> None:
        (self.home / name).write_text(str(value))

    def lines(self, name: str) -> list[str]:
        path = self.home / name
        return path.read_text().splitlines() if path.exists() else []

    def flip_byte(self, offset: int) -> None:
        with open(self.home / "archive.zip", "r+b") as archive:
            archive.seek(offset)
            byte = archive.read(1)[0]
            archive.seek(offset)
            archive.write(bytes([byte ^ 1]))


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """A home with a ready archive: 100 examples, train in 3 shards, test in 1."""
    home = tmp_path_factory.mktemp("built")
    build_archive(home, {"train": [30, 30, 20], "test": [20]})
    return home


@pytest.fixture
def registry(built, tmp_path):
    """A started registry whose one dataset is ready."""
    home = tmp_path / "registry"
    home.mkdir()
    for name in ("archive.zip", "facts.json"):
        (home / name).write_bytes((built / name).read_bytes())
    process = RegistryProcess(home)
    process.set("go")
    process.start()
    yield process
    process.kill()


@pytest.fixture
def build_registry(tmp_path):
    """Make and start a registry of an archive with the given splits."""
    started = []

    def build(splits: dict[str, list[int]], noise_bytes: int = NOISE_BYTES) -> RegistryProcess:
        home = tmp_path / f"registry-{len(started)}"
        build_archive(home, splits, noise_bytes)
        process = RegistryProcess(home)
        process.set("go")
        process.start()
        started.append(process)
        return process

    yield build
    for process in started:
        process.kill()


@pytest.fixture
def facts(built) -> dict:
    """What is known of the built dataset."""
    return json.loads((built / "facts.json").read_text())


@pytest.fixture
def dataset_folder(built, tmp_path) -> Path:
    """The built dataset as a folder, as the cache has it."""
    return unpack(built, tmp_path / "dataset")


@pytest.fixture
def built_archives(tmp_path) -> list[Path]:
    """Three datasets of one size, each as a folder."""
    folders = []
    for number in range(3):
        home = tmp_path / f"built-{number}"
        build_archive(home, {"train": [5, 5], "test": [number + 1]}, noise_bytes=1000)
        folders.append(unpack(home, tmp_path / f"folder-{number}"))
    return folders


def unpack(home: Path, folder: Path) -> Path:
    """Unpack the archive, as the cache has it."""
    with zipfile.ZipFile(home / "archive.zip") as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def environment(registry, tmp_path) -> dict[str, str]:
    """What leads a command to the registry, and to a cache of its own."""
    return {"DARKROOM_SERVER": registry.server, "DARKROOM_CACHE": str(tmp_path / "cache")}


@pytest.fixture
def darkroom(environment):
    """Run the `darkroom` command in this process."""

    def run(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        done = CliRunner().invoke(app, arguments, input=stdin, env=environment, prog_name="darkroom")
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def darkroom_process(environment):
    """Run the `darkroom` command as a process of its own, which another program may replace."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "darkroom_client", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, timeout=60)

    return run
