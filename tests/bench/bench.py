"""Measures Darkroom side by side with its peers, in alternating runs, and prints Markdown tables.

make bench                                   everything; about 15 minutes
.venv/bin/python tests/bench/bench.py NAME   one of: standard, large, cold, memory, hit, read, download
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import workloads
from figures import HEADER, alternate, ratio, row
from hits import hit_times_ms
from house import House
from measurements import run
from sendfile import sendfile_rate

HERE = Path(__file__).resolve().parent
ROUNDS = 5
PEERS = HERE.parents[1] / ".cache" / "bench-peers"
SEEDS = itertools.count(1)


def config(size: int, crop: int) -> dict[str, object]:
    """Return the stock handler's config for the job that every peer does; each call is a dataset of its own."""
    return {
        "image_size": [size, size],
        "resize_mode": "stretch",
        "crop_size": [crop, crop],
        "random_flip": True,
        "exposure_stops": 0.2,
        "jpeg_quality": 90,
        "input_attributes": ["image", "height", "width", "label", "id"],
        "seed": next(SEEDS),
    }


def build(house: House, size: int, crop: int) -> float:
    """Return the seconds from the request to READY."""
    began = time.perf_counter()
    house.client.request_dataset("bench", "latest", config(size, crop)).wait()
    return time.perf_counter() - began


def peer(script: str, python: str, photos: Path, size: int, crop: int) -> tuple[float, float]:
    """Run a peer's script; return its own seconds (imports left out) and the whole process's."""
    with tempfile.TemporaryDirectory() as output:
        began = time.perf_counter()
        command = [python, str(HERE / script), str(photos), output, str(size), str(crop)]
        printed = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ).stdout
        return json.loads(printed.splitlines()[-1])["seconds"], time.perf_counter() - began


def tfds_python() -> str:
    """Make the peers' own environment once; return its Python."""
    python = PEERS / "bin" / "python"
    if not python.exists():
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(PEERS)], check=True)
        wanted = [
            "tensorflow-cpu==2.21.0",
            "tensorflow-datasets==4.9.10",
            "opencv-python-headless",
            "importlib_resources",
        ]
        subprocess.run([*uv, "pip", "install", "--quiet", "--python", str(python), *wanted], check=True)
    return str(python)


def job(folder: Path, name: str, make: Callable[[Path], Path], size: int, crop: int) -> None:
    """The whole service against the bare OpenCV loop and TFDS: rate of one job, services up, photos hashed before."""
    raw = folder / f"raw-{name}"
    photos = make(raw / "photos")
    count = len(list(photos.iterdir()))
    house = House(folder / f"home-{name}", raw)
    try:
        house.client.define("bench", "stock/images", {"photos": "photos"})
        build(house, size, crop)  # hashes the photos, once
        python = tfds_python()
        rates = alternate(
            ROUNDS,
            {
                "darkroom, request to READY": lambda: count / build(house, size, crop),
                "OpenCV, 2 processes, bare": lambda: (
                    count / peer("opencv_loop.py", sys.executable, photos, size, crop)[0]
                ),
                "TFDS": lambda: count / peer("tfds_job.py", python, photos, size, crop)[0],
            },
        )
    finally:
        house.stop()
    ours, bare, tfds = rates.values()
    print(f"\n### {name.capitalize()} job: {count} photos, {size} to {crop}\n\n{HEADER}")
    print(row("darkroom, request to READY", "images/s", ours))
    print(row("OpenCV loop, 2 processes, bare", "images/s", bare, f"darkroom is {ratio(ours, bare):.2f}x (goal 0.95)"))
    print(row("TFDS download_and_prepare", "images/s", tfds, f"darkroom is {ratio(ours, tfds):.2f}x (goal 1.9)"))


def cold(folder: Path) -> None:
    """Cold: registry and runner just started, nothing hashed, the command itself a new process."""
    raw = folder / "raw-cold"
    photos = workloads.standard(raw / "photos")
    python = tfds_python()
    number = itertools.count()

    def ours() -> float:
        house = House(folder / f"home-cold-{next(number)}", raw)
        try:
            house.client.define("bench", "stock/images", {"photos": "photos"})
            settings = [f"--set={name}={json.dumps(value)}" for name, value in config(256, 224).items()]
            environment = os.environ | {"DARKROOM_SERVER": house.server, "DARKROOM_CACHE": str(house.cache)}
            began = time.perf_counter()
            command = [sys.executable, "-m", "darkroom_client", "request", "bench", *settings]
            subprocess.run(command, check=True, env=environment, capture_output=True)
            return time.perf_counter() - began
        finally:
            house.stop()

    seconds = alternate(ROUNDS, {"ours": ours, "tfds": lambda: peer("tfds_job.py", python, photos, 256, 224)[1]})
    print(f"\n### Cold: whole process from request to the dataset in the cache, 1,000 photos never hashed\n\n{HEADER}")
    print(row("darkroom request", "s", seconds["ours"]))
    times = ratio(seconds["tfds"], seconds["ours"])
    print(row("TFDS", "s", seconds["tfds"], f"darkroom is {times:.1f}x faster (goal 4)"))


def memory(folder: Path) -> None:
    """Proportional memory of the runner and its two workers during builds, sampled at 10 Hz."""
    raw = folder / "raw-memory"
    workloads.standard(raw / "photos")
    house = House(folder / "home-memory", raw)
    samples: list[float] = []
    done = threading.Event()

    def sample() -> None:
        while not done.wait(0.1):
            samples.append(house.memory_mib())

    sampler = threading.Thread(target=sample)
    try:
        house.client.define("bench", "stock/images", {"photos": "photos"})
        sampler.start()
        for _ in range(3):
            build(house, 256, 224)
    finally:
        done.set()
        sampler.join()
        house.stop()
    print(f"\n### Memory of the build's process tree (runner and two workers, PSS), 3 builds\n\n{HEADER}")
    print(row("peak", "MiB", [max(samples)], "goal 150"))


def hit(folder: Path) -> None:
    """How long a hit takes to be answered, with 10,000 raw files: the last walk fresh, and a new walk."""
    raw = folder / "raw-hit"
    photos = raw / "photos"
    photos.mkdir(parents=True)
    data = workloads.source_photos()[0].read_bytes()
    for number in range(10_000):
        (photos / f"{number:05}.jpg").write_bytes(data[:2000] + number.to_bytes(4, "big"))
    real = workloads.source_photos()[:20]
    for path in real:
        shutil.copy(path, photos / f"real-{path.name}")
    fresh, walked = hit_times_ms(folder / "home-hit", raw, ROUNDS, 9)
    print(f"\n### A hit, answered, with 10,020 raw files\n\n{HEADER}")
    print(row("last walk at most 10 s old", "ms", fresh, "goal 50"))
    print(row("with a new walk", "ms", walked))


def read(folder: Path) -> None:
    """First batch of 32 decoded images from the cache, against plain TFRecord files; TensorFlow loaded before."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    raw = folder / "raw-read"
    workloads.standard(raw / "photos")
    house = House(folder / "home-read", raw)
    try:
        house.client.define("bench", "stock/images", {"photos": "photos"})
        asked = config(256, 224)
        dataset = house.client.request_dataset("bench", "latest", asked).get()
        plain = folder / "plain"
        plain.mkdir()
        files = [str(shutil.copy(file, plain)) for file in dataset.files("train")]
        kinds = {"bytes": tf.string, "int64": tf.int64, "float32": tf.float32}
        columns = {name: tf.io.FixedLenFeature([], kinds[each.dtype]) for name, each in dataset.features.items()}

        def parse(record: tf.Tensor) -> dict[str, tf.Tensor]:
            example = tf.io.parse_single_example(record, columns)
            return example | {"image": tf.io.decode_jpeg(example["image"], 3)}

        def plain_files() -> float:
            began = time.perf_counter()
            records = tf.data.TFRecordDataset(files).map(parse, num_parallel_calls=tf.data.AUTOTUNE)
            next(iter(records.batch(32)))
            return (time.perf_counter() - began) * 1000

        def from_cache() -> float:
            began = time.perf_counter()
            next(iter(house.client.request_dataset("bench", "latest", asked).get().as_tf("train", batch_size=32)))
            return (time.perf_counter() - began) * 1000

        def opened() -> float:
            began = time.perf_counter()
            next(iter(dataset.as_tf("train", batch_size=32)))
            return (time.perf_counter() - began) * 1000

        plain_files(), opened(), from_cache()
        figures = alternate(4 * ROUNDS, {"plain": plain_files, "opened": opened, "hit": from_cache})
    finally:
        house.stop()
    print(f"\n### First batch of 32 decoded images\n\n{HEADER}")
    print(row("plain TFRecord files", "ms", figures["plain"]))
    for name, words in (("opened", "dataset in the cache"), ("hit", "request answered by a hit, then from the cache")):
        print(row(words, "ms", figures[name], f"{ratio(figures[name], figures['plain']):.2f}x (goal 1.2)"))


def download(folder: Path) -> None:
    """Fetching a dataset into an empty cache, verified, against raw sendfile over loopback into a file."""
    raw = folder / "raw-download"
    workloads.standard(raw / "photos")
    house = House(folder / "home-download", raw)
    try:
        house.client.define("bench", "stock/images", {"photos": "photos"})
        request = house.client.request_dataset("bench", "latest", {"image_size": [480, 480], "jpeg_quality": 97})
        size = request.get().path
        total = sum(file.stat().st_size for file in size.iterdir())
        archive = max(folder.joinpath("home-download/store").rglob("*.zip"), key=lambda path: path.stat().st_size)

        def ours(same_machine: str) -> float:
            os.environ["DARKROOM_SAME_MACHINE"] = same_machine
            # What the run before left to be written must not slow this one.
            os.sync()
            shutil.rmtree(house.cache)
            began = time.perf_counter()
            request.get()
            return total / 2**20 / (time.perf_counter() - began)

        rates = alternate(
            ROUNDS,
            {
                "ours": lambda: ours("1"),
                "registry": lambda: ours("0"),
                "sendfile": lambda: sendfile_rate(archive, folder / "received", verify=False),
                "verified": lambda: sendfile_rate(archive, folder / "received", verify=True),
            },
        )
    finally:
        house.stop()
    print(f"\n### Download of {total / 2**20:.0f} MiB into an empty cache\n\n{HEADER}")
    through = f"{ratio(rates['registry'], rates['sendfile']):.2f}x of raw sendfile"
    print(row("darkroom, every shard verified", "MiB/s", rates["ours"]))
    print(row("the same through the registry, as another machine would", "MiB/s", rates["registry"], through))
    for name, words in (("sendfile", "raw sendfile into a file"), ("verified", "the same, then sha256 of the file")):
        print(row(words, "MiB/s", rates[name], f"darkroom is {ratio(rates['ours'], rates[name]):.2f}x (goal 0.8)"))


MEASUREMENTS: dict[str, Callable[[Path], None]] = {
    "standard": lambda folder: job(folder, "standard", workloads.standard, 256, 224),
    "large": lambda folder: job(folder, "large", workloads.large, 1024, 800),
    "cold": cold,
    "memory": memory,
    "hit": hit,
    "read": read,
    "download": download,
}


if __name__ == "__main__":
    run(MEASUREMENTS, ROUNDS)
