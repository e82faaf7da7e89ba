"""The options of the stock handlers' photos do what they say."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from dataset_handlers.errors import BadRawRecord
from dataset_handlers.operations import encode_png, read_image
from dataset_handlers.operations.image_io import decode_image
from dataset_handlers.photo_options import crop_violations, photo_options
from dataset_handlers.photo_pipeline import PhotoPipeline, draw_variation


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    y, x = np.mgrid[:120, :160]
    path = tmp_path / "a.png"
    path.write_bytes(encode_png(np.stack([x, y, 0 * x], axis=2).astype(np.uint8)))
    return path


def pipeline(**options: Any) -> PhotoPipeline:
    return PhotoPipeline(
        SimpleNamespace(**{name: option.default for name, option in photo_options().items()} | options)
    )


def vary(photo: Path, seed: int = 0, **options: Any) -> np.ndarray:
    return pipeline(**options).vary(photo, draw_variation(np.random.default_rng(seed)))


@pytest.mark.parametrize("mode", ["stretch", "cover", "contain"])
@pytest.mark.parametrize("crop_size", [None, [20, 30]])
def test_the_size_is_as_asked_for(photo: Path, mode: str, crop_size: list[int] | None) -> None:
    image = vary(
        photo, image_size=[40, 50], resize_mode=mode, crop_size=crop_size, random_flip=True, rotation_degrees=20.0
    )
    assert image.shape == (*(crop_size or [40, 50]), 3)


def test_without_a_size_a_photo_stays_as_it_is(photo: Path) -> None:
    assert np.array_equal(vary(photo, image_size=None), read_image(photo))
    assert vary(photo, image_size=None, crop_size=[100, 100]).shape == (100, 100, 3)


def test_a_photo_smaller_than_its_crop_is_a_bad_record(photo: Path) -> None:
    with pytest.raises(BadRawRecord, match="a crop of 130x10 is larger than the image, 120x160"):
        vary(photo, image_size=None, crop_size=[130, 10])


def test_crops_lie_where_the_option_says(photo: Path) -> None:
    # The red channel of the photo is the column, so the mean tells where the crop lay.
    anywhere = [vary(photo, seed, image_size=None, crop_size=[120, 40])[0, 0, 0] for seed in range(120)]
    central = [
        vary(photo, seed, image_size=None, crop_size=[120, 40], random_crop_centered=True)[0, 0, 0]
        for seed in range(120)
    ]
    assert np.std(anywhere) > 1.5 * np.std(central)
    assert abs(np.mean(central) - 60) < 8


def test_variations_follow_from_their_draws(photo: Path) -> None:
    options = {
        "image_size": [60, 80],
        "crop_size": [30, 30],
        "random_flip": True,
        "rotation_degrees": 10.0,
        "exposure_stops": 1.0,
    }
    assert np.array_equal(vary(photo, 3, **options), vary(photo, 3, **options))
    assert not np.array_equal(vary(photo, 3, **options), vary(photo, 4, **options))


def test_a_photo_is_decoded_once_for_all_its_variations(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    monkeypatch.setattr(
        "dataset_handlers.photo_pipeline.read_image", lambda path, **rest: reads.append(path) or read_image(path)
    )
    line = pipeline(image_size=[20, 20], crop_size=[10, 10], exposure_stops=1.0)
    variations = [line.vary(photo, draw_variation(np.random.default_rng(seed))) for seed in range(3)]
    assert reads == [photo]
    assert np.array_equal(variations[0], vary(photo, 0, image_size=[20, 20], crop_size=[10, 10], exposure_stops=1.0))


def test_a_large_photo_decoded_small_gives_about_the_same_picture(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    large = cv2.resize(rng.integers(0, 256, (12, 16, 3)).astype(np.uint8), (1600, 1200), interpolation=cv2.INTER_CUBIC)
    path = tmp_path / "a.jpg"
    assert cv2.imwrite(str(path), large[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    small = vary(path, image_size=[120, 160])
    exact = cv2.resize(large, (160, 120), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - exact).mean() < 1.5


def test_encoding_follows_the_option(photo: Path) -> None:
    image = read_image(photo)
    assert np.array_equal(decode_image(pipeline(image_encoding="png").encode(image)), image)
    sizes = [len(pipeline(jpeg_quality=quality).encode(image)) for quality in (30, 95)]
    assert sizes[0] < sizes[1]


def test_a_crop_is_compared_with_the_image() -> None:
    assert crop_violations(None, [9, 9]) == crop_violations([9, 9], None) == crop_violations([9, 9], [9, 9]) == []
    assert crop_violations([8, 9], [9, 9])[0].field == "config.crop_size"
