"""The seed's example config works unchanged: images of 800x800, and batches of what was asked for."""

from __future__ import annotations

import json
import sys

from .photos import make_photos

CONFIG = {
    "input_attributes": ["image"],
    "batch_size": 100,
    "image_size": [1024, 1024],
    "variations_per_sample": 1,
    "crop_size": [800, 800],
    "random_crop_centered": True,
}
PHOTO_COUNT = 120
TRAIN = """
import json
from darkroom_client import open_dataset
dataset = open_dataset()
shapes = [batch["image"].shape.as_list() for batch in dataset.as_tf("train")]
print(json.dumps({"features": sorted(dataset.features), "shapes": shapes}))
"""


def test_the_example_gives_800_pixels_and_batch_size_reaches_the_reader_and_not_the_key(open_house, tmp_path):
    make_photos(tmp_path / "raw" / "street", PHOTO_COUNT, height=120, width=160)
    house = open_house(tmp_path / "raw").start()
    house.client.define("street", "stock/inpainting", {"photos": "street"})
    request = house.client.request_dataset("street", "latest", {**CONFIG, "splits": {"train": 1}})
    request.wait(180)
    assert request.snapshot.read_options == {"batch_size": 100}
    assert "batch_size" not in json.dumps(house.client.get_dataset(request.key).preimage)
    config = house.config({**CONFIG, "splits": {"train": 1}})
    trained = house.darkroom("request", "street", "-c", config, "--", sys.executable, "-c", TRAIN).ok()
    assert json.loads(trained.out) == {
        "features": ["image"],
        "shapes": [[100, 800, 800, 3], [PHOTO_COUNT - 100, 800, 800, 3]],
    }
    other = house.client.request_dataset("street", "latest", {**CONFIG, "splits": {"train": 1}, "batch_size": 50})
    assert (other.wait(180).cached, other.key) == (True, request.key)
    batches = [len(batch["image"]) for batch in other.get().as_numpy("train")]
    assert batches == [50, 50, 20]


def test_the_example_with_nothing_added_is_accepted(shared_house):
    dataset = shared_house.client.request_dataset("street", "latest", CONFIG).get()
    [batch, *_] = dataset.as_numpy("train")
    assert batch["image"].shape == (dataset.splits["train"], 800, 800, 3)
