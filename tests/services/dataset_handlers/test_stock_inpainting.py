"""The stock handler for inpainting: photos with holes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataset_handlers.errors import BadConfig
from dataset_handlers.handler_class import make_handler
from dataset_handlers.operations.image_io import decode_image
from dataset_handlers.planning import list_samples
from dataset_handlers.shard_writer import sample_examples
from dataset_handlers.stock_inpainting import ATTRIBUTES, InpaintingHandler
from dataset_handlers.testing import check_handler

SEED_EXAMPLE = {
    "input_attributes": ["image"],
    "batch_size": 100,
    "image_size": [1024, 1024],
    "variations_per_sample": 1,
    "crop_size": [800, 800],
    "random_crop_centered": True,
}


def examples_of(photos: Path, config: dict[str, Any], count: int = 6) -> list[dict[str, Any]]:
    handler = make_handler(InpaintingHandler, config, {"photos": str(photos)})
    samples = [sample for members in list_samples(handler).values() for sample in members]
    return [dict(example) for sample in samples[:count] for example in sample_examples(handler, sample)]


def test_the_contract_is_kept(photos: Path) -> None:
    report = check_handler(InpaintingHandler, {"image_size": [32, 48], "variations_per_sample": 2}, photos)
    assert report.samples == 24
    assert report.features == {
        "image": {"dtype": "bytes", "shape": [], "encoding": "jpeg", "image_shape": [32, 48, 3]},
        "mask": {"dtype": "bytes", "shape": [], "encoding": "png", "image_shape": [32, 48, 1]},
    }
    assert report.notes == []


def test_the_seeds_own_example_gives_800_by_800(photos: Path) -> None:
    examples = examples_of(photos, SEED_EXAMPLE, count=2)
    assert [list(example) for example in examples] == [["image"], ["image"]]
    assert all(decode_image(example["image"]).shape == (800, 800, 3) for example in examples)


def test_input_attributes_choose_every_feature(photos: Path) -> None:
    for example in examples_of(photos, {"image_size": 32, "input_attributes": list(ATTRIBUTES)}):
        assert list(example) == list(ATTRIBUTES)
        assert (example["height"], example["width"]) == (32, 32)
        mask, masked = decode_image(example["mask"]), decode_image(example["masked_image"])
        assert set(np.unique(mask)) == {0, 255}
        assert masked[mask > 0].mean() < 40


def test_an_unknown_attribute_is_refused_with_the_valid_ones(photos: Path) -> None:
    with pytest.raises(BadConfig, match=r"'depth' is not one of image, mask, masked_image, height, width, id"):
        examples_of(photos, {"input_attributes": ["depth"]})


def test_a_crop_larger_than_the_image_is_refused(photos: Path) -> None:
    with pytest.raises(BadConfig) as caught:
        examples_of(photos, {"image_size": "100x200", "crop_size": "50x300"})
    assert caught.value.violations == [
        (
            "config.crop_size",
            "[50, 300] is larger than image_size [100, 200] (width 300 > 200); at most [100, 200] would do",
        )
    ]


def test_a_switch_changes_nothing_else(photos: Path) -> None:
    base = {"image_size": 48, "crop_size": 32, "image_encoding": "png"}
    plain, more_light = (
        examples_of(photos, base),
        examples_of(photos, {**base, "exposure_stops": 1, "colour_push": 0.5}),
    )
    assert [example["mask"] for example in plain] == [example["mask"] for example in more_light]
    assert [example["image"] for example in plain] != [example["image"] for example in more_light]
    flipped = examples_of(photos, {**base, "random_flip": True})
    mirrored = 0
    for one, other in zip(plain, flipped, strict=True):
        images = decode_image(one["image"]), decode_image(other["image"])
        mirrored += not np.array_equal(*images)
        assert np.array_equal(images[0], images[1]) or np.array_equal(images[0][:, ::-1], images[1])
    assert 0 < mirrored < 6


def test_variations_differ_and_seeds_differ(photos: Path) -> None:
    base = {"image_size": 48, "crop_size": 32, "variations_per_sample": 4}
    examples = examples_of(photos, base, count=1)
    assert len({example["image"] for example in examples}) == 4
    assert len({example["mask"] for example in examples}) == 4
    assert examples_of(photos, {**base, "seed": 1}, count=1) != examples


def test_a_family_reaches_the_masks(photos: Path) -> None:
    def area(family: str) -> float:
        config = {"image_size": 64, "mask_family": family, "mask_kinds": ["boxes"], "input_attributes": ["mask"]}
        return float(np.mean([decode_image(example["mask"]) for example in examples_of(photos, config, count=24)]))

    assert area("thin") < area("medium") < area("thick")


def test_lossless_images_on_request(photos: Path) -> None:
    example = examples_of(photos, {"image_size": None, "image_encoding": "png"}, count=1)[0]
    assert example["image"].startswith(b"\x89PNG")
