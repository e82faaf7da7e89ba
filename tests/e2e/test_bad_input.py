"""Bad input gets one clear message that names what is wrong and what would do, before any work, and costs nothing."""

from __future__ import annotations

import shutil

import pytest

from .process import until

REFUSED = {
    "an unknown option": (
        ["request", "street", "--set", "crop_sise=64"],
        ["config.crop_sise", "did you mean crop_size?", "mask_family"],
    ),
    "an unknown attribute": (
        ["request", "street", "--set", 'input_attributes=["image", "maks"]'],
        ["config.input_attributes[1]", '"maks"', "did you mean mask?", '"masked_image"'],
    ),
    "a wrong type": (
        ["request", "street", "--set", "variations_per_sample=many"],
        ["config.variations_per_sample", "must be an integer, at least 1", '"many"'],
    ),
    "a value out of range": (
        ["request", "street", "--set", "jpeg_quality=101"],
        ["config.jpeg_quality", "at most 100", "101"],
    ),
    "several at once": (
        ["request", "street", "--set", "seed=-1", "--set", "resize_mode=fit", "--set", "image_size=0x9"],
        ["config.seed", "config.resize_mode", '"cover"', "config.image_size"],
    ),
    "an unknown handler": (
        ["define", "other", "--handler", "stock/paint", "--raw", "photos=street"],
        ["handler", "'paint'", "stock/inpainting"],
    ),
    "an unknown role": (
        ["define", "other", "--handler", "stock/inpainting", "--raw", "pictures=street"],
        ["raw.pictures", "it reads photos", "raw.photos: is missing"],
    ),
    "a name that is none": (
        ["define", "Other!", "--handler", "stock/inpainting", "--raw", "photos=street"],
        ["dataset_name", "lower-case", "'Other!'"],
    ),
    "a command that is none": (["request", "street", "--", "trian.py"], ["'trian.py'"]),
}
NOT_FOUND = {
    "an unknown dataset": (["request", "streets"], ["'streets'", "street"]),
    "an unknown version": (["request", "street", "v9"], ["'v9'", "latest"]),
    "an unknown repository": (
        ["define", "other", "--handler", "nobody/paint", "--raw", "photos=street"],
        ["'nobody'", "stock, test"],
    ),
    "an unknown raw dataset": (
        ["define", "other", "--handler", "stock/inpainting", "--raw", "photos=nowhere"],
        ["'nowhere'", "role photos", "street"],
    ),
    "an unknown request": (["get", "requests/00000000-0000-4000-8000-000000000000"], ["00000000-0000", "darkroom ls"]),
    "an unknown key": (["get", "abcdef0123"], ["'abcdef0123'", "darkroom ls"]),
    "a config file that is none": (["request", "street", "-c", "nowhere.yaml"], ["nowhere.yaml"]),
}


@pytest.mark.parametrize("case", [*REFUSED, *NOT_FOUND])
def test_it_is_refused_before_any_work_with_the_field_and_what_would_do(shared_house, case):
    requests = shared_house.client.list_requests()
    begun = len(shared_house.runner.events("work_begins"))
    arguments, words = (REFUSED | NOT_FOUND)[case]
    refused = shared_house.darkroom(*arguments)
    assert refused.code == (2 if case in REFUSED else 3), refused.err
    assert refused.out == ""
    lines = refused.err.splitlines()
    assert all(line.startswith("error: ") for line in lines), refused.err
    for word in words:
        assert word in refused.err
    assert shared_house.client.list_requests() == requests
    assert [each.dataset_name for each in shared_house.client.list_definitions()] == ["street"]
    assert len(shared_house.runner.events("work_begins")) == begun


def test_a_crop_larger_than_the_image_is_refused_in_planning(shared_house):
    refused = shared_house.darkroom("request", "street", "--set", "image_size=64", "--set", "crop_size=64x65")
    assert refused.code == 2
    assert "error: config.crop_size: [64, 65] is larger than image_size [64, 64] (width 65 > 64)" in refused.err
    assert shared_house.client.list_datasets("street")[0].shards_done == 0


def test_a_crop_larger_than_every_photo_fails_naming_photos_and_sizes(shared_house):
    failed = shared_house.darkroom("request", "street", "--set", "image_size=null", "--set", "crop_size=512")
    assert failed.code == 1
    assert "raw files cannot be read" in failed.err
    assert "a crop of 512x512 is larger than the image, 192x256" in failed.err


def test_a_raw_folder_that_is_empty_or_goes_away_is_named(open_house, own_photos):
    (own_photos / "empty").mkdir()
    house = open_house(own_photos).start()
    for name in ("empty", "street"):
        house.client.define(name, "stock/inpainting", {"photos": name})
    empty = house.darkroom("request", "empty")
    assert empty.code == 1
    assert f"error: the raw folder {own_photos / 'empty'} holds no files; put the photos there" in empty.err
    away = own_photos.with_name("away")
    (own_photos / "street").rename(away)
    missing = house.darkroom("request", "street")
    # Which of the two depends on whether the runner has called since.
    assert missing.code in (1, 3)
    assert "the raw dataset 'street'" in missing.err
    assert "there are: empty" in missing.err
    # Nothing is lost: with the photos back, as soon as the runner has told of them, the same request is answered.
    away.rename(own_photos / "street")
    until(lambda: house.darkroom("request", "street").code == 0, "the dataset", 15.0)


def test_unreadable_photos_are_skipped_and_listed_up_to_a_limit_and_beyond_it_named(open_house, own_photos):
    street = own_photos / "street"
    (street / "005.jpg").write_bytes(b"this is no photo")
    house = open_house(own_photos, RAW_MAX_AGE_S=0).start()
    house.client.define("street", "stock/inpainting", {"photos": "street"})
    got = house.darkroom("request", "street", "--json").ok().json
    assert got["examples"] == len(list(street.iterdir())) - 1
    assert "005.jpg" in house.darkroom("show", got["key"]).ok().out
    cut = (street / "007.jpg").read_bytes()
    (street / "007.jpg").write_bytes(cut[: len(cut) // 2])
    failed = house.darkroom("request", "street")
    assert failed.code == 1
    assert "2 raw files cannot be read, 1 are allowed (max_bad_fraction)" in failed.err
    for name in ("005.jpg", "007.jpg"):
        assert name in failed.err
    # The remedy that the message names works.
    assert house.darkroom("request", "street", "--set", "max_bad_fraction=0.1").ok()
    for name in ("005.jpg", "007.jpg"):
        shutil.copyfile(street / "000.jpg", street / name)
    assert house.darkroom("request", "street", "--json").ok().json["examples"] == len(list(street.iterdir()))
