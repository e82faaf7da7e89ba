"""What the photos are decides the dataset: a changed one is noticed however quiet the change, and none leaks."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from .house import House
from .process import until

# What was changed so lately is read again at each walk; only later does a stat stand for a content.
CALM_S = 2.5


@pytest.fixture
def house(open_house, own_photos: Path) -> House:
    house = open_house(own_photos).start()
    house.client.define("street", "stock/inpainting", {"photos": "street"})
    house.client.define("slow", "test/slow", {"photos": "street"})
    return house


def test_a_photo_changed_with_the_same_size_and_mtime_gives_a_new_key(open_house, own_photos):
    # Each request has the photos walked, however lately the last walk was.
    house = open_house(own_photos, RAW_MAX_AGE_S=0).start()
    house.client.define("street", "stock/inpainting", {"photos": "street"})
    photo = house.raw / "street" / "007.jpg"
    time.sleep(max(0.0, photo.stat().st_ctime + CALM_S - time.time()))
    first = house.darkroom("resolve", "street", "--json").ok().json
    assert house.darkroom("resolve", "street", "--json").ok().json["key"] == first["key"]
    before = photo.stat()
    change_quietly(photo)
    after = photo.stat()
    assert (before.st_size, before.st_mtime_ns, before.st_ino) == (after.st_size, after.st_mtime_ns, after.st_ino)
    second = house.darkroom("resolve", "street", "--json").ok().json
    assert second["key"] != first["key"]
    assert {**second["preimage"], "raw": 0} == {**first["preimage"], "raw": 0}


def test_a_photo_changed_in_mid_build_fails_the_build_by_name_and_asking_again_builds(house):
    photo = house.raw / "street" / "007.jpg"
    with house.darkroom_running("request", "slow") as asking:
        until(lambda: any(each.shards_done for each in house.client.list_datasets("slow")), "the first shard")
        change_quietly(photo)
        assert asking.wait(180) == 1
    assert "error: " in asking.log
    assert "changed 007.jpg" in asking.log
    [dataset] = house.client.list_datasets("slow")
    assert dataset.state == "FAILED"
    assert dataset.failure.failure_class == "RAW_CHANGED"
    again = house.darkroom("request", "slow", "--json").ok().json
    assert again["key"] != dataset.key
    assert house.darkroom("verify", again["key"], "--full", "--rebuild", "1").ok()


def test_no_source_photo_is_in_two_splits_whatever_the_variations(house):
    config = {"variations_per_sample": 3, "image_size": 64, "input_attributes": ["id"]}
    dataset = house.client.request_dataset("street", "latest", config).get()
    photos = {split: [example["id"] for example in dataset.as_numpy(split)] for split in dataset.splits}
    assert set(photos) == {"train", "validation", "test"}
    seen = [photo for members in photos.values() for photo in set(members)]
    assert len(seen) == len(set(seen)) == len(list((house.raw / "street").iterdir()))
    for members in photos.values():
        assert len(members) == 3 * len(set(members))


def change_quietly(path: Path) -> None:
    """Change one byte and leave size and modification time as they were."""
    facts = path.stat()
    with path.open("r+b") as file:
        file.seek(-2, os.SEEK_END)
        file.write(b"\xfe")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
