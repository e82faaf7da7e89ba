"""The stock handler for DUTS: photos and the masks of what stands out in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dataset_handlers.errors import BadConfig, RawMissing
from dataset_handlers.example import decode_example
from dataset_handlers.handler_class import make_handler
from dataset_handlers.made_photos import make_photos
from dataset_handlers.operations.image_io import decode_image
from dataset_handlers.planning import list_samples
from dataset_handlers.shard_writer import sample_examples, write_shard
from dataset_handlers.stock_duts import ATTRIBUTES, DutsHandler
from dataset_handlers.testing import check_handler
from dataset_handlers.tfrecord import read_records


@pytest.fixture
def duts(tmp_path: Path) -> Path:
    root = tmp_path / "DUTS"
    for part, count in (("DUTS-TR", 8), ("DUTS-TE", 4)):
        masks = root / part / f"{part}-Mask"
        masks.mkdir(parents=True)
        for photo in make_photos(root / part / f"{part}-Image", count, size=(60, 80)):
            photo.rename(photo.with_name(f"{part}-{photo.name}"))
            shades = np.zeros((60, 80), np.uint8)
            cv2.circle(shades, (40, 30), 20, 255, -1)
            assert cv2.imwrite(str(masks / f"{part}-{photo.stem}.png"), cv2.GaussianBlur(shades, (9, 9), 3))
    return root


def examples_of(duts: Path, **config: Any) -> list[dict[str, Any]]:
    handler = make_handler(DutsHandler, config, {"duts": str(duts)})
    samples = [sample for members in list_samples(handler).values() for sample in members]
    return [dict(example) for sample in samples for example in sample_examples(handler, sample)]


def test_the_contract_is_kept(duts: Path) -> None:
    config = {"image_size": 48, "crop_size": 32, "random_flip": True, "input_attributes": list(ATTRIBUTES)}
    report = check_handler(DutsHandler, config, {"duts": duts})
    assert report.splits == {"test": 4, "train": 8}
    assert report.features["mask"]["image_shape"] == [32, 32, 1]
    assert report.notes == []


def test_masks_are_parted_or_keep_their_shades(duts: Path) -> None:
    parted = [decode_image(example["mask"]) for example in examples_of(duts, image_size=30)]
    shaded = [decode_image(example["mask"]) for example in examples_of(duts, image_size=30, binary=False)]
    assert all(set(np.unique(mask)) == {0, 255} for mask in parted)
    for one, other in zip(parted, shaded, strict=True):
        assert len(np.unique(other)) > 20
        assert np.mean((one > 127) != (other > 127)) < 0.03


def test_splits_are_drawn_if_asked_for(duts: Path) -> None:
    listing = list_samples(make_handler(DutsHandler, {"split_from": "hash", "splits": {"a": 1}}, {"duts": str(duts)}))
    assert {split: len(members) for split, members in listing.items()} == {"a": 12}
    with pytest.raises(BadConfig, match="has no say while split_from is folders; split_from hash would do"):
        make_handler(DutsHandler, {"group_by": "folder"}, {"duts": str(duts)})


def test_folders_that_prescribe_nothing_are_drawn(duts: Path) -> None:
    for part in ("Image", "Mask"):
        (duts / "DUTS-TR" / f"DUTS-TR-{part}").rename(duts / "DUTS-TR" / f"{part.lower()}s")
    (duts / "DUTS-TR").rename(duts / "mine")
    listing = list_samples(make_handler(DutsHandler, {"splits": {"train": 1, "test": 1}}, {"duts": str(duts)}))
    assert sum(map(len, listing.values())) == 12
    assert {sample.split for members in listing.values() for sample in members} == {"", "test"}


def test_a_missing_or_unlike_mask_is_a_bad_record(duts: Path, tmp_path: Path) -> None:
    masks = duts / "DUTS-TR" / "DUTS-TR-Mask"
    (masks / "DUTS-TR-photo-00.png").unlink()
    assert cv2.imwrite(str(masks / "DUTS-TR-photo-01.png"), np.zeros((60, 81), np.uint8))
    handler = make_handler(DutsHandler, {"image_size": 32}, {"duts": str(duts)})
    members = sorted(list_samples(handler)["train"])
    result = write_shard(handler, members, tmp_path / "shard")
    assert result.examples == 6
    assert [(skip.path, skip.reason) for skip in result.skipped] == [
        (
            "DUTS-TR/DUTS-TR-Image/DUTS-TR-photo-00.jpg",
            "it has no mask; DUTS-TR/DUTS-TR-Mask/DUTS-TR-photo-00.png would do",
        ),
        (
            "DUTS-TR/DUTS-TR-Image/DUTS-TR-photo-01.jpg",
            "its mask is 81x60 pixels, and the photo has another size (decoded: 80x60)",
        ),
    ]


def test_a_folder_without_pairs_says_what_would_do(photos: Path) -> None:
    with pytest.raises(RawMissing, match=r"no photo in a folder DUTS-TR-Image, Image or images"):
        list_samples(make_handler(DutsHandler, {}, {"duts": str(photos)}))


def test_it_builds(duts: Path, tmp_path: Path) -> None:
    files = DutsHandler({"image_size": 32, "variations_per_sample": 2}, duts).as_tfrecord(tmp_path / "built")
    examples = [decode_example(record) for file in files for record in read_records(file)]
    assert len(examples) == 24
    assert all(sorted(example) == ["image", "mask"] for example in examples)
