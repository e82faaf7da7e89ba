"""Real photos, where DARKROOM_TEST_PHOTOS names a folder of them, come out as the plain steps would give them."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from dataset_handlers.example import decode_example
from dataset_handlers.operations.image_io import decode_image
from dataset_handlers.photos import list_photos
from dataset_handlers.stock_images import ImagesHandler
from dataset_handlers.stock_inpainting import InpaintingHandler
from dataset_handlers.testing import check_handler
from dataset_handlers.tfrecord import read_records

PHOTOS = os.environ.get("DARKROOM_TEST_PHOTOS", "")

pytestmark = pytest.mark.skipif(not PHOTOS, reason="DARKROOM_TEST_PHOTOS names no folder")


@pytest.fixture
def some_photos(tmp_path: Path) -> Path:
    names = list_photos(PHOTOS)
    for name in names[:: max(1, len(names) // 50)]:
        target = tmp_path / "raw" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(Path(PHOTOS, name).read_bytes())
    return tmp_path / "raw"


def test_the_contract_is_kept_on_real_photos(some_photos: Path) -> None:
    config = {
        "image_size": [96, 128],
        "crop_size": [80, 80],
        "random_crop_centered": True,
        "random_flip": True,
        "rotation_degrees": 10,
        "exposure_stops": 0.5,
        "colour_push": 0.5,
        "variations_per_sample": 2,
    }
    assert check_handler(InpaintingHandler, config, some_photos).skipped == []


def test_a_scaled_photo_is_what_the_plain_steps_give(some_photos: Path, tmp_path: Path) -> None:
    config = {"image_size": [128, 128], "resize_mode": "stretch", "image_encoding": "png"}
    files = ImagesHandler(config, some_photos).as_tfrecord(tmp_path / "built")
    errors = []
    for record in (record for file in files for record in read_records(file)):
        example = decode_example(record)
        name, image = example["id"][0], example["image"][0]
        assert isinstance(name, bytes)
        assert isinstance(image, bytes)
        plain = cv2.imread(str(some_photos / os.fsdecode(name)))
        plain = cv2.resize(plain, (128, 128), interpolation=cv2.INTER_AREA)[:, :, ::-1]
        errors.append(float(np.square(decode_image(image).astype(float) - plain).mean()))
    # Large JPEGs are decoded at a half or less, by another filter than the area's: 40 dB is an error of 6.5.
    assert np.median(errors) < 1
    assert np.percentile(errors, 95) < 15
