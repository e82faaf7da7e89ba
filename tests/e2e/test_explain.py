"""A miss says why: the nearest dataset, the options and the raw files that differ, and what a build would cost."""

from __future__ import annotations

import shutil

import cv2

from darkroom_client import Client

CONFIG = {"image_size": [64, 64], "variations_per_sample": 1}


def test_a_miss_names_what_differs_and_what_it_would_cost(open_house, own_photos):
    house = open_house(own_photos, RAW_MAX_AGE_S="0").start()
    client: Client = house.client
    client.define("street", "stock/inpainting", {"photos": "street"})
    built = client.request_dataset("street", "latest", CONFIG).get()
    resolved = client.resolve("street", "latest", CONFIG)
    assert resolved.hit
    assert (resolved.nearest, resolved.cost) == ((), None)

    asked = {**CONFIG, "variations_per_sample": 2, "crop_size": [32, 48]}
    miss = house.darkroom("resolve", "street", "-c", house.config(asked)).ok()
    assert "miss: nobody has asked" in miss.err
    assert built.key[:12] in miss.err
    rows = {line.split()[0]: line for line in miss.err.splitlines() if line.split()}
    assert "[32, 48]" in rows["crop_size"]
    assert rows["variations_per_sample"].split()[1:] == ["2", "1"]
    assert "about 96 examples" in miss.err
    estimated = client.resolve("street", "latest", asked).cost
    real = client.request_dataset("street", "latest", asked).get()
    assert estimated.example_count == real.examples

    photos = sorted((own_photos / "street").iterdir())
    shutil.copy(photos[0], own_photos / "street" / "copy.jpg")
    photos[1].unlink()
    cv2.imwrite(str(photos[2]), cv2.imread(str(photos[2]))[::-1])
    changed = house.darkroom("resolve", "street", "-c", house.config(CONFIG), "--json").ok().json
    [difference] = changed["nearest"][0]["differences"]
    assert difference["field"] == "raw.photos"
    assert difference["raw"] == {
        "added_count": 1,
        "removed_count": 1,
        "changed_count": 1,
        "added": ["copy.jpg"],
        "removed": [photos[1].name],
        "changed": [photos[2].name],
    }
    assert changed["nearest"][0]["dataset"]["key"] == built.key
    assert changed["cost"]["example_count"] == built.examples
    assert f"the build of {built.key[:12]} with the same config" in changed["cost"]["basis"]
