"""A download is used before the disk has it, and doubted when the machine went down meanwhile."""

import time
from pathlib import Path

from darkroom_client import Cache, Client, cache_settling
from darkroom_client.cache_settling import Settling


def marks(cache: Path) -> list[Path]:
    return list((cache / "unsettled").glob("*"))


def settled(cache: Path) -> bool:
    deadline = time.monotonic() + 60
    while marks(cache):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def another_run(cache: Path, digest: str) -> None:
    """Leave what a download leaves when the machine goes down right behind it."""
    (cache / "unsettled" / f"{digest}.an-earlier-run.0").touch()


def damage(file: Path) -> bytes:
    whole = file.read_bytes()
    file.write_bytes(bytes(len(whole)))
    return whole


def shard_reads(registry) -> int:
    return len(registry.lines("reads"))


def test_the_mark_of_a_download_goes_away_by_itself(registry, tmp_path):
    with Client(registry.server, cache=tmp_path) as client:
        client.download("street")
        assert settled(tmp_path)


def test_the_mark_is_there_before_the_first_byte(tmp_path):
    settling = Settling(Cache(tmp_path), "a" * 64)
    settling.begin()
    [mark] = marks(tmp_path)
    assert mark.name.startswith(f"{'a' * 64}.{cache_settling.boot_id()}.")
    assert not settling.is_doubtful()


def test_zeros_where_the_machine_went_down_are_found_and_only_their_shard_is_fetched_again(registry, tmp_path):
    with Client(registry.server, cache=tmp_path) as client:
        dataset = client.download("street")
        assert settled(tmp_path)
        shard = dataset.manifest.shards[1]
        whole = damage(dataset.path / shard.name)
        before = shard_reads(registry)
        another_run(tmp_path, dataset.digest)
        again = client.download("street")
        assert (again.path / shard.name).read_bytes() == whole
        assert [int(line.split()[1]) for line in registry.lines("reads")[before:]] == [shard.size_bytes]
        assert settled(tmp_path)


def test_a_dataset_that_the_disk_had_is_not_fetched_again(registry, tmp_path):
    with Client(registry.server, cache=tmp_path) as client:
        dataset = client.download("street")
        assert settled(tmp_path)
        before = shard_reads(registry)
        another_run(tmp_path, dataset.digest)
        assert client.download("street").path == dataset.path
        assert shard_reads(registry) == before
        assert settled(tmp_path)


def test_shards_of_a_download_that_the_machine_cut_off_are_doubted_too(registry, tmp_path):
    with Client(registry.server, cache=tmp_path) as client:
        dataset = client.download("street")
        assert settled(tmp_path)
        shard = dataset.manifest.shards[0]
        whole = damage(dataset.path / shard.name)
        dataset.path.rename(f"{dataset.path}.partial")
        another_run(tmp_path, dataset.digest)
        assert (client.download("street").path / shard.name).read_bytes() == whole


def test_a_mark_that_another_process_left_is_taken_away_by_the_next_one(registry, tmp_path):
    with Client(registry.server, cache=tmp_path) as client:
        dataset = client.download("street")
        assert settled(tmp_path)
        Settling(Cache(tmp_path), dataset.digest).begin()
        client.download("street")
        assert settled(tmp_path)


def test_where_runs_of_the_system_have_no_name_the_disk_is_waited_for(registry, tmp_path, monkeypatch):
    monkeypatch.setattr(cache_settling, "_BOOT_ID", tmp_path / "none")
    with Client(registry.server, cache=tmp_path / "cache") as client:
        assert len(client.download("street").files("train"))
    assert not marks(tmp_path / "cache")
