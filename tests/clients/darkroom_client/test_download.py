"""Datasets come into the cache once, whole, verified, and from where an earlier download stopped."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from darkroom_client import Client, DataLoss
from darkroom_client.download import ByteStream, check_room, grouped
from darkroom_client.errors import DiskFull
from darkroom_client.manifest import Manifest, Shard

DOWNLOAD = "import sys; from darkroom_client import Client; print(Client().download('street').path)"


def download_elsewhere(registry, cache) -> subprocess.Popen:
    environment = os.environ | {"DARKROOM_SERVER": registry.server, "DARKROOM_CACHE": str(cache)}
    return subprocess.Popen([sys.executable, "-c", DOWNLOAD], env=environment, stdout=subprocess.PIPE, text=True)


def bytes_read(registry) -> int:
    return sum(int(line.split()[1]) for line in registry.lines("reads"))


def manifest(registry) -> Manifest:
    facts = registry.facts
    with open(registry.home / "archive.zip", "rb") as archive:
        archive.seek(facts["manifest_offset"])
        return Manifest.parse(archive.read(facts["manifest_size_bytes"]))


def test_a_client_killed_in_mid_download_goes_on_at_the_byte_where_it_stopped(build_registry, tmp_path):
    registry = build_registry({"train": [60] * 4}, noise_bytes=100_000)
    registry.set("slow_s", 0.03)
    first = download_elsewhere(registry, tmp_path / "cache")
    partial = tmp_path / "cache" / "datasets" / f"{registry.facts['digest']}.partial"
    while sum(file.stat().st_size for file in partial.glob("*.tfrecord*")) < 8_000_000:
        assert first.poll() is None
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    first.stdout.close()
    kept = sum(file.stat().st_size for file in partial.glob("*.tfrecord*"))
    reads_before = len(registry.lines("reads"))
    registry.set("slow_s", 0)
    with Client(registry.server, cache=tmp_path / "cache") as client:
        dataset = client.download("street")
    fetched = sum(int(line.split()[1]) for line in registry.lines("reads")[reads_before:])
    assert fetched == dataset.manifest.size_bytes - kept
    assert not partial.exists()


def test_eight_processes_that_ask_at_once_cause_one_download(build_registry, tmp_path):
    registry = build_registry({"train": [40] * 4}, noise_bytes=20_000)
    registry.set("slow_s", 0.05)
    processes = [download_elsewhere(registry, tmp_path / "cache") for _ in range(8)]
    paths = {process.communicate()[0].strip() for process in processes}
    assert all(process.returncode == 0 for process in processes)
    assert paths == {str(tmp_path / "cache" / "datasets" / registry.facts["digest"])}
    assert len(registry.lines("downloads")) == 1
    assert bytes_read(registry) <= registry.facts["size_bytes"]


def test_a_flipped_byte_in_the_store_is_found_and_its_shard_named(registry, tmp_path):
    shard = manifest(registry).shards[2]
    registry.flip_byte(shard.offset + 100)
    with Client(registry.server, cache=tmp_path) as client, pytest.raises(DataLoss) as caught:
        client.download("street")
    assert shard.name in str(caught.value)
    assert f"`darkroom verify {registry.facts['key']} --full`" in str(caught.value)


def test_after_the_store_is_mended_only_the_wrong_shard_is_fetched_again(registry, tmp_path):
    shard = manifest(registry).shards[0]
    registry.flip_byte(shard.offset + 100)
    with Client(registry.server, cache=tmp_path) as client:
        with pytest.raises(DataLoss):
            client.download("street")
        registry.flip_byte(shard.offset + 100)
        before = bytes_read(registry)
        client.download("street")
    assert bytes_read(registry) - before == shard.size_bytes


def test_a_flipped_byte_in_the_manifest_is_found(registry, tmp_path):
    registry.flip_byte(registry.facts["manifest_offset"] + 5)
    with Client(registry.server, cache=tmp_path) as client, pytest.raises(DataLoss, match="manifest"):
        client.download("street")


def test_a_cached_file_that_was_cut_short_is_fetched_again_alone(registry, tmp_path):
    with Client(registry.server, cache=tmp_path) as client:
        dataset = client.download("street")
        victim = dataset.files("train")[1]
        whole = victim.read_bytes()
        victim.write_bytes(whole[:50])
        before = bytes_read(registry)
        client.download("street")
    assert victim.read_bytes() == whole
    assert bytes_read(registry) - before == len(whole)


def test_an_archive_with_urls_is_read_from_them(registry, tmp_path):
    registry.set("urls")
    with Client(registry.server, cache=tmp_path) as client:
        assert client.download("street").examples == 100
    assert registry.lines("reads") == []
    assert len(registry.lines("downloads")) == 1


def test_a_url_that_expired_is_replaced_by_a_new_plan(registry, tmp_path):
    registry.set("urls")
    registry.set("url_lives_s", 1.5)
    with Client(registry.server, cache=tmp_path) as client:
        from darkroom_client.archive_source import ArchiveSource

        source = ArchiveSource(client.server, f"datasets/{registry.facts['key']}")
        first = source.plan()
        time.sleep(1.6)
        assert sum(map(len, source.read(0, 1000))) == 1000
        assert source.plan().url != first.url
        source.close()


def test_a_connection_that_breaks_is_taken_up_where_it_broke(registry, tmp_path):
    registry.set("urls")
    registry.set("cut")
    with Client(registry.server, cache=tmp_path) as client:
        dataset = client.download("street")
    reported = int(registry.lines("downloads")[0].split()[0])
    gaps = 3 * (30 + len("train-00000.tfrecord"))
    assert reported <= dataset.manifest.size_bytes + registry.facts["manifest_size_bytes"] + gaps


def test_a_download_outlasts_a_registry_that_is_killed_and_restarted(build_registry, tmp_path):
    registry = build_registry({"train": [60] * 4}, noise_bytes=20_000)
    registry.set("slow_s", 0.1)
    process = download_elsewhere(registry, tmp_path / "cache")
    partial = tmp_path / "cache" / "datasets" / f"{registry.facts['digest']}.partial"
    while not any(file.stat().st_size for file in partial.glob("*.part")):
        time.sleep(0.02)
    registry.kill()
    registry.set("slow_s", 0)
    registry.start()
    process.communicate(timeout=120)
    assert process.returncode == 0


def test_small_neighbours_share_a_request(build_registry, tmp_path):
    registry = build_registry({"train": [1] * 300}, noise_bytes=10)
    with Client(registry.server, cache=tmp_path) as client:
        assert client.download("street").examples == 300
    assert len(registry.lines("reads")) < 12


def test_a_dataset_that_cannot_fit_is_refused_with_both_figures(tmp_path):
    shard = Shard("train-00000.tfrecord", "train", 0, 57, 1 << 60, "0" * 64, 1)
    with pytest.raises(DiskFull) as caught:
        check_room(tmp_path, [shard])
    assert re.search(r"needs [\d,]+ MB more and .* has [\d,]+ MB free", str(caught.value))


def test_groups_keep_large_shards_apart_and_join_small_ones():
    sizes = [1000, 1000, 9 << 20, 9 << 20, 1000]
    offset, shards = 0, []
    for index, size in enumerate(sizes):
        shards.append(Shard(f"train-{index:05}.tfrecord", "train", index, offset + 50, size, "", 1))
        offset += 50 + size
    assert [[shard.index for shard in group] for group in grouped(shards)] == [[0, 1], [2], [3], [4]]


def test_a_stream_of_chunks_is_cut_anew_at_any_position():
    stream = ByteStream(iter([b"abcd", b"efg", b"hijk"]), 100)
    assert b"".join(stream.take(2)) == b"ab"
    stream.skip_to(105)
    assert b"".join(stream.take(4)) == b"fghi"
    assert b"".join(stream.take(0)) == b""
