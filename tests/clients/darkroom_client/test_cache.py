"""What the cache counts as whole, and where it lies."""

from pathlib import Path

from darkroom_client import Cache
from darkroom_client.cache import cache_folder, use_lock_of


def cached(dataset_folder: Path, tmp_path: Path, digest: str) -> Cache:
    cache = Cache(tmp_path / "cache")
    cache.dataset_folder(digest).parent.mkdir(parents=True)
    dataset_folder.rename(cache.dataset_folder(digest))
    return cache


def test_a_whole_dataset_is_found(dataset_folder, tmp_path, facts):
    cache = cached(dataset_folder, tmp_path, facts["digest"])
    assert cache.find(facts["digest"]) == cache.dataset_folder(facts["digest"])


def test_finding_a_dataset_notes_its_use(dataset_folder, tmp_path, facts):
    import os

    cache = cached(dataset_folder, tmp_path, facts["digest"])
    folder = cache.dataset_folder(facts["digest"])
    os.utime(folder, (1, 1))
    cache.find(facts["digest"])
    assert folder.stat().st_mtime > 1


def test_a_dataset_with_a_missing_or_short_shard_or_another_manifest_is_not_found(dataset_folder, tmp_path, facts):
    cache = cached(dataset_folder, tmp_path, facts["digest"])
    folder = cache.dataset_folder(facts["digest"])
    shard = folder / "train-00000.tfrecord"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-1])
    assert cache.find(facts["digest"]) is None
    shard.unlink()
    assert cache.find(facts["digest"]) is None
    shard.write_bytes(whole)
    assert cache.find(facts["digest"]) is not None
    (folder / "manifest.json").write_bytes(b"{}")
    assert cache.find(facts["digest"]) is None


def test_nothing_is_found_in_a_cache_that_is_not_there(tmp_path):
    assert Cache(tmp_path / "nowhere").find("0" * 64) is None


def test_the_folder_is_the_given_one_or_the_environments_or_the_users(monkeypatch, tmp_path):
    monkeypatch.delenv("DARKROOM_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "darkroom"
    monkeypatch.setenv("DARKROOM_CACHE", str(tmp_path / "shared"))
    assert cache_folder() == tmp_path / "shared"
    assert cache_folder(tmp_path / "mine") == tmp_path / "mine"


def test_a_folder_outside_a_cache_has_no_lock(tmp_path):
    assert use_lock_of(tmp_path / "datasets" / "x") is None
