"""Datasets reach a training machine once, whole and verified, whoever is killed and whatever bytes go bad."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .house import House
from .process import until
from .relay import Relay

TRAININGS = 8
TRAIN = "import os, pathlib; print(len(list(pathlib.Path(os.environ['DARKROOM_DATASET']).glob('*.tfrecord'))))"
MIB = 1 << 20


def test_eight_trainings_on_one_machine_cause_one_download(shared_house):
    command = [sys.executable, "-m", "darkroom_client", "request", "street", "--set", "seed=8", "--"]
    trainings = [
        subprocess.Popen(
            [*command, sys.executable, "-c", TRAIN],
            env=shared_house.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(TRAININGS)
    ]
    try:
        outputs = [training.communicate(timeout=90) for training in trainings]
    finally:
        for training in trainings:
            training.kill()
    assert [training.returncode for training in trainings] == [0] * TRAININGS, outputs
    dataset = shared_house.client.get_dataset("street")
    assert {output for output, _ in outputs} == {f"{dataset.shard_count}\n"}
    assert dataset.request_count == TRAININGS
    assert dataset.download_count == 1


@pytest.fixture
def relay(shared_house: House) -> Iterator[Relay]:
    relay = Relay(shared_house.server)
    yield relay
    relay.close()


def test_a_client_killed_in_mid_download_leaves_what_came_and_the_next_one_goes_on(shared_house, relay, tmp_path):
    shared_house.client.define("files", "test/seed", {"photos": "street"})
    config = {"small_files": 20, "large_bytes": 40 * MIB}
    key = shared_house.client.request_dataset("files", "latest", config).wait(180).key
    machine = {"DARKROOM_SERVER": relay.server, "DARKROOM_CACHE": str(tmp_path / "cache"), "DARKROOM_SAME_MACHINE": "0"}
    relay.allow(20 * MIB)
    with shared_house.darkroom_running("get", key, env=machine) as download:
        until(lambda: arrived_bytes(tmp_path) > 10 * MIB, "the first half of the download")
        download.kill()
    kept = arrived_bytes(tmp_path)
    assert shared_house.client.get_dataset(key).download_count == 0
    relay.allow(1 << 60)
    got = shared_house.darkroom("get", key, "--json", env=machine).ok().json
    # The rest, and some frames of the protocol.
    assert relay.passed_bytes < got["bytes"] - kept + MIB
    assert shared_house.darkroom("cache", "verify", env=machine).ok()
    assert shared_house.client.get_dataset(key).download_count == 1


def arrived_bytes(folder: Path) -> int:
    """Return how much of the one download has come."""
    return sum(path.stat().st_size for path in folder.glob("cache/datasets/*.partial/*") if path.is_file())


def test_a_flipped_byte_in_the_store_is_found_and_named_and_the_next_request_builds_again(shared_house):
    built = shared_house.client.request_dataset("street", "latest", {"seed": 101}).get()
    archive = shared_house.archive(built.key)
    whole = archive.read_bytes()
    damaged = built.manifest.shards[1]
    flip(archive, damaged.offset + damaged.size_bytes // 2)
    assert "all is well" in shared_house.darkroom("verify", built.key).ok().err, "size and manifest are as they were"
    found = shared_house.darkroom("verify", built.key, "--full")
    assert found.code == 1
    assert found.out == f"{damaged.name} is damaged: its sha256 is not the manifest's\n"
    assert "the next request builds it again" in found.err
    again = shared_house.darkroom("request", "street", "--set", "seed=101", "--json").ok().json
    assert (again["key"], again["digest"], again["cached"]) == (built.key, built.digest, False)
    [rebuilt] = [each for each in shared_house.store_folder.glob(f"{built.key}/*/*.zip") if each != archive]
    assert rebuilt.read_bytes() == whole
    assert shared_house.darkroom("verify", built.key, "--full").ok()


def test_a_client_that_meets_a_damaged_shard_says_what_to_do_and_that_helps(shared_house, tmp_path):
    machine = {"DARKROOM_CACHE": str(tmp_path / "cache")}
    snapshot = shared_house.client.request_dataset("street", "latest", {"seed": 102}).wait(180)
    flip(shared_house.archive(snapshot.key), 1000)
    met = shared_house.darkroom("request", "street", "--set", "seed=102", env=machine)
    assert met.code == 1
    assert "the shard test-00000.tfrecord" in met.err
    advice = f"run `darkroom verify {snapshot.key} --full`, then request it again"
    assert advice in met.err
    assert shared_house.darkroom("verify", snapshot.key, "--full", env=machine).code == 1
    assert shared_house.darkroom("request", "street", "--set", "seed=102", env=machine).ok()


def test_a_flipped_byte_in_the_cache_is_found_and_named_and_fetched_again(shared_house, tmp_path):
    machine = {"DARKROOM_CACHE": str(tmp_path / "cache")}
    got = shared_house.darkroom("request", "street", "--json", env=machine).ok().json
    damaged = Path(got["path"]) / "train-00000.tfrecord"
    whole = damaged.read_bytes()
    flip(damaged, 500)
    found = shared_house.darkroom("cache", "verify", env=machine)
    assert found.code == 1
    assert "train-00000.tfrecord" in found.out + found.err
    assert shared_house.darkroom("get", got["key"], env=machine).ok()
    assert damaged.read_bytes() == whole
    assert shared_house.darkroom("cache", "verify", env=machine).ok()


def flip(path: Path, offset: int) -> None:
    """Change one bit of a file, and nothing else of it."""
    with path.open("r+b") as file:
        file.seek(offset)
        [byte] = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ 1]))
