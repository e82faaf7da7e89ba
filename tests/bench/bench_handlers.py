"""Measures handlers from git: the start in a cached environment, the sandbox, and a hit over many raw files.

make bench                                            everything
.venv/bin/python tests/bench/bench_handlers.py NAME   one of: environment, sandbox, raw
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import workloads
from figures import HEADER, alternate, row
from hits import hit_times_ms
from house import House
from measurements import run

ROUNDS = 9
# Behind this many seconds the runner's idle children have ended, so that a build starts its own.
CHILDREN_IDLE_S = 32.0
HANDLER = '''
"""One number for each photo: a handler whose own work is nothing."""
from dataset_handlers import DatasetHandler, Integer, photo_samples


class Numbers(DatasetHandler):
    """One number for each photo."""

    @staticmethod
    def config_options():
        return {"number": Integer(0, "What every photo gets", minimum=0)}

    def samples(self):
        return photo_samples(self.raw_data_path)

    def examples(self, sample, rng):
        yield {"number": self.number, "id": sample.id}
'''
NUMBERS = itertools.count(1)


def repository(folder: Path) -> Path:
    """Make a git repository with the handler and a tag."""
    folder.mkdir(parents=True)
    (folder / "my_handlers.py").write_text(HANDLER)
    (folder / "pyproject.toml").write_text("[project]\nname = 'my-handlers'\nversion = '1'\ndependencies = []\n")
    who = ["-c", "user.name=Bench", "-c", "user.email=bench@localhost"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "Count photos"], ["tag", "v1"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def git_house(folder: Path) -> House:
    """Start a house whose repositories `closed` and `open` are one, the second trusted; both environments are made."""
    raw = folder / "raw"
    workloads.standard(raw / "photos")
    url = str(repository(folder / "repository"))
    repositories = json.dumps({"closed": {"url": url}, "open": {"url": url, "trusted": True}})
    for part in ("REGISTRY", "RUNNER"):
        os.environ[f"DARKROOM_{part}_REPOSITORIES"] = repositories
    house = House(folder / "home", raw)
    for name in ("closed", "open"):
        house.client.define(name, f"{name}/numbers", {"photos": "photos"})
        build(house, name)
    return house


def build(house: House, name: str, version: str = "v1") -> float:
    """Return the milliseconds from a request that nobody made before to READY."""
    began = time.perf_counter()
    house.client.request_dataset(name, version, {"number": next(NUMBERS)}).wait()
    return (time.perf_counter() - began) * 1000


def first_shard(house: House, name: str) -> float:
    """Return the milliseconds from the request to the first committed shard."""
    began = time.perf_counter()
    for snapshot in house.client.request_dataset(name, "v1", {"number": next(NUMBERS)}).watch():
        if snapshot.shards_done or snapshot.final:
            return (time.perf_counter() - began) * 1000
    raise SystemExit("the build ended without a shard")


def environment(folder: Path) -> None:
    """From the request to the first shard in an environment that was made before; no child process is warm."""
    house = git_house(folder)
    try:
        figures = []
        for _ in range(3):
            time.sleep(CHILDREN_IDLE_S)
            figures.append(first_shard(house, "closed"))
    finally:
        house.stop()
    print(f"\n### Cached environment, sandboxed, no warm process: request to first shard\n\n{HEADER}")
    print(row("1,000 photos", "ms", figures, "goal 500"))


def sandbox(folder: Path) -> None:
    """The same build from the same code, trusted and sandboxed, in alternating runs; each starts its processes anew."""
    house = git_house(folder)
    try:

        def cold(name: str) -> Callable[[], float]:
            def run() -> float:
                time.sleep(CHILDREN_IDLE_S)
                return build(house, name)

            return run

        figures = alternate(5, {"open": cold("open"), "closed": cold("closed")})
    finally:
        house.stop()
    more = statistics.median(a - b for a, b in zip(figures["closed"], figures["open"], strict=True))
    print(f"\n### A build of 1,000 tiny examples from a git repository, processes started anew\n\n{HEADER}")
    print(row("trusted, not sandboxed", "ms", figures["open"]))
    print(row("sandboxed", "ms", figures["closed"], f"{more:+.0f} ms per build (goal 50)"))


def raw(folder: Path) -> None:
    """How long a hit takes to be answered with 100,000 raw files: the last walk fresh, and a new walk."""
    photos = folder / "raw" / "photos"
    for number in range(100_000):
        shelf = photos / f"{number // 1000:03}"
        shelf.mkdir(parents=True, exist_ok=True)
        (shelf / f"{number:06}.jpg").write_bytes(number.to_bytes(8, "big"))
    for number, path in enumerate(workloads.source_photos()[:20]):
        (photos / f"real-{number:02}.jpg").write_bytes(path.read_bytes())
    fresh, walked = hit_times_ms(folder / "home", folder / "raw", ROUNDS, 5)
    print(f"\n### A hit, answered, with 100,020 raw files\n\n{HEADER}")
    print(row("last walk at most 10 s old", "ms", fresh, "goal 1,000"))
    print(row("with a new walk", "ms", walked))


MEASUREMENTS: dict[str, Callable[[Path], None]] = {"environment": environment, "sandbox": sandbox, "raw": raw}


if __name__ == "__main__":
    run(MEASUREMENTS, ROUNDS)
