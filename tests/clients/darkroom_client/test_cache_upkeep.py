"""Room is made from the longest unused, never from what somebody reads."""

import os
import shutil
import subprocess
import sys
import time
from datetime import timedelta

import pytest

from darkroom_client import Cache, Dataset, open_dataset
from darkroom_client.cache_upkeep import cached_datasets, collect, verify_cached


@pytest.fixture
def cache(built_archives, tmp_path):
    """Three datasets, the first unused for three days, the second for two, the third for one."""
    cache = Cache(tmp_path / "cache")
    for age, folder in zip((3, 2, 1), built_archives, strict=True):
        digest = Dataset(folder).digest
        shutil.copytree(folder, cache.dataset_folder(digest))
        used = time.time() - age * 86400
        os.utime(cache.dataset_folder(digest), (used, used))
    return cache


def test_the_longest_unused_is_listed_first(cache):
    ages = [cached.last_used for cached in cached_datasets(cache)]
    assert ages == sorted(ages)
    assert len(ages) == 3
    assert {cached.dataset_name for cached in cached_datasets(cache)} == {"street"}


def test_the_longest_unused_go_until_the_rest_fits(cache):
    first, second, third = cached_datasets(cache)
    assert collect(cache, max_bytes=second.size_bytes + third.size_bytes) == [first]
    assert cached_datasets(cache) == [second, third]


def test_what_was_not_used_for_long_goes(cache):
    first, second, third = cached_datasets(cache)
    assert collect(cache, older_than=timedelta(days=1.5)) == [first, second]
    assert cached_datasets(cache) == [third]


def test_a_dry_run_removes_nothing(cache):
    held = cached_datasets(cache)
    assert collect(cache, max_bytes=0, dry_run=True) == held
    assert cached_datasets(cache) == held


def test_what_this_process_reads_stays(cache):
    first, *others = cached_datasets(cache)
    cache.use_lock(first.digest).release()  # the folder of locks is made by the first use
    dataset = open_dataset(first.path)
    assert collect(cache, max_bytes=0) == others
    del dataset
    assert [cached.digest for cached in collect(cache, max_bytes=0)] == [first.digest]


def test_what_another_process_reads_stays_until_it_ends(cache):
    held = cached_datasets(cache)
    cache.use_lock(held[0].digest).release()
    code = "import sys; from darkroom_client import open_dataset; d = open_dataset(); print(d.key, flush=True); input()"
    environment = os.environ | {"DARKROOM_DATASET": str(held[0].path)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdin=-1, stdout=-1) as reader:
        assert reader.stdout.readline()
        assert len(collect(cache, max_bytes=0)) == 2
        reader.kill()
    assert len(collect(cache, max_bytes=0)) == 1


def test_a_download_under_way_stays_and_one_left_behind_goes(cache):
    digest = cached_datasets(cache)[0].digest
    cache.dataset_folder(digest).rename(cache.partial_folder(digest))
    with cache.download_lock(digest):
        assert digest not in [cached.digest for cached in collect(cache, max_bytes=0)]
    removed = collect(cache, max_bytes=0)
    assert [(cached.digest, cached.partial) for cached in removed] == [(digest, True)]


def test_a_flipped_byte_is_found_by_reading_and_its_file_removed(cache):
    cached = cached_datasets(cache)[0]
    shard = cached.path / "train-00001.tfrecord"
    content = bytearray(shard.read_bytes())
    content[100] ^= 1
    shard.write_bytes(content)
    assert cache.find(cached.digest) is not None
    assert verify_cached(cache, cached) == ["train-00001.tfrecord"]
    assert cache.find(cached.digest) is None
