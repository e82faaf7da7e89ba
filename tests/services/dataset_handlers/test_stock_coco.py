"""The stock handler for COCO: its layout, its splits, its masks, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools import mask as cocotools

from dataset_handlers.coco_index import read_annotations, read_index
from dataset_handlers.coco_masks import annotation_mask, mask_box
from dataset_handlers.errors import BadConfig, BadRawRecord, RawMissing
from dataset_handlers.example import decode_example
from dataset_handlers.handler_class import make_handler
from dataset_handlers.operations import read_image
from dataset_handlers.operations.image_io import decode_image
from dataset_handlers.planning import list_samples, make_plan
from dataset_handlers.shard_writer import sample_examples
from dataset_handlers.stock_coco import ATTRIBUTES, CocoHandler
from dataset_handlers.testing import check_handler
from dataset_handlers.tfrecord import read_records

from .coco_raw import HEIGHT, WIDTH, instances, write_coco

ALL = {"input_attributes": list(ATTRIBUTES), "image_size": None, "image_encoding": "png"}
REAL = os.environ.get("DARKROOM_TEST_COCO", "")


@pytest.fixture(scope="module")
def coco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_coco(tmp_path_factory.mktemp("raw") / "coco")


@pytest.fixture
def own_coco(coco: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(coco, tmp_path / "coco"))


def handler_of(coco: Path, **config: Any) -> CocoHandler:
    return make_handler(CocoHandler, config, {"coco": str(coco)})


def examples_of(coco: Path, **config: Any) -> dict[str, dict[str, Any]]:
    handler = handler_of(coco, **config)
    samples = [sample for members in list_samples(handler).values() for sample in members]
    return {sample.id: dict(example) for sample in samples for example in sample_examples(handler, sample)}


def ids(coco: Path, **config: Any) -> list[str]:
    return [Path(sample.id).stem.lstrip("0") for sample in handler_of(coco, **config).samples()]


def theirs(annotation: dict[str, Any]) -> np.ndarray:
    segmentation = annotation["segmentation"]
    if isinstance(segmentation, list):
        packed = cocotools.merge(cocotools.frPyObjects(segmentation, HEIGHT, WIDTH))
    elif isinstance(segmentation["counts"], list):
        packed = cocotools.frPyObjects(segmentation, HEIGHT, WIDTH)
    else:
        packed = segmentation
    return np.asarray(cocotools.decode(packed)) * 255


@pytest.mark.parametrize(
    "config",
    [
        {"image_size": [48, 48], "crop_size": [32, 40], "random_flip": True, "rotation_degrees": 8},
        {"input_attributes": list(ATTRIBUTES), "masks": "instances", "variations_per_sample": 2, "image_size": 48},
    ],
)
def test_the_contract_is_kept(coco: Path, config: dict[str, Any]) -> None:
    report = check_handler(CocoHandler, config, {"coco": coco})
    assert report.splits == {"train": 10, "validation": 3}
    assert report.notes == []
    assert sorted(report.features) == sorted(config.get("input_attributes", ["image", "mask"]))


def test_each_instance_is_as_cocos_own_tools_have_it(coco: Path) -> None:
    for path, example in examples_of(coco, masks="merged", **ALL).items():
        number = int(Path(path).stem)
        annotations = sorted(instances(100 + number, number), key=lambda each: each["id"] % 7)
        masks = [theirs(annotation) for annotation in annotations]
        assert [decode_image(mask).tolist() for mask in example["instance_masks"]] == [m.tolist() for m in masks]
        assert np.array_equal(decode_image(example["mask"]), np.maximum.reduce(masks))
        boxes = [cocotools.toBbox(cocotools.encode(np.asfortranarray(mask))).tolist() for mask in masks]
        assert example["bboxes"].tolist() == boxes
        assert example["category_ids"].tolist() == [each["category_id"] for each in annotations]
        assert example["crowds"].tolist() == [each["iscrowd"] for each in annotations]
        assert set(example["category_names"]) == {"person", "dog"}
        assert np.array_equal(decode_image(example["image"]), read_image(coco / path))
        assert (example["height"], example["width"], example["image_id"]) == (HEIGHT, WIDTH, 100 + number)


def test_a_mask_numbers_categories_or_instances(coco: Path) -> None:
    by_category = examples_of(coco, masks="categories", categories=["dog", "person"], **ALL)
    by_instance = examples_of(coco, masks="instances", **ALL)
    for path, example in by_category.items():
        instance_masks = [decode_image(mask) for mask in example["instance_masks"]]
        covered = np.maximum.reduce(instance_masks)
        mask = decode_image(example["mask"])
        assert np.array_equal(mask > 0, covered > 0)
        assert set(np.unique(mask)) == {0, 1, 2}
        # The dog is number 1 as it is named first; the smaller of two instances lies upon the larger.
        dog = instance_masks[example["category_names"].index("dog")]
        assert (mask[(dog > 0) & (np.sum([each > 0 for each in instance_masks], axis=0) == 1)] == 1).all()
        numbered = decode_image(by_instance[path]["mask"])
        for number, each in enumerate(by_instance[path]["instance_masks"], start=1):
            alone = numbered == number
            assert alone.any()
            assert (decode_image(each)[alone] == 255).all()


def test_masks_go_the_way_of_their_photo(own_coco: Path) -> None:
    """The photo is repainted to show its own mask, so both must come out alike however they are turned and cut."""
    for path, example in examples_of(own_coco, **{**ALL, "masks": "merged"}).items():
        shown = np.repeat(decode_image(example["mask"])[:, :, None], 3, axis=2)
        cv2.imwrite(str(own_coco / path), shown, [cv2.IMWRITE_JPEG_QUALITY, 100])
    for options in (
        {"image_size": [90, 100], "crop_size": [70, 70], "random_flip": True},
        {"image_size": [40, 40], "resize_mode": "contain"},
        {"image_size": [32, 64], "resize_mode": "stretch", "rotation_degrees": 30},
    ):
        for example in examples_of(own_coco, variations_per_sample=2, image_encoding="png", **options).values():
            image, mask = decode_image(example["image"])[:, :, 0], decode_image(example["mask"])
            assert set(np.unique(mask)) <= {0, 255}
            # Only a pixel's breadth along the outline may differ.
            assert np.mean((image > 127) != (mask > 127)) < 0.05
            inner = cv2.erode(mask, np.ones((5, 5)), borderValue=255)
            outer = cv2.dilate(mask, np.ones((5, 5)))
            assert image[inner == 255].min(initial=255) > 100
            assert image[outer == 0].max(initial=0) < 155


def test_what_a_crop_leaves_out_of_sight_is_left_out(coco: Path) -> None:
    examples = examples_of(coco, **{**ALL, "crop_size": [12, 12], "variations_per_sample": 3})
    counts = [len(example["instance_masks"]) for example in examples.values()]
    assert min(counts) < 3
    for example in examples.values():
        assert len(example["bboxes"]) == len(example["category_names"]) == len(example["instance_masks"])
        for box, mask in zip(example["bboxes"].tolist(), example["instance_masks"], strict=True):
            assert box == mask_box(decode_image(mask))


def test_categories_crowds_and_area_choose_the_instances(coco: Path) -> None:
    assert len(ids(coco)) == 13
    assert len(ids(coco, keep_empty=True)) == 16
    assert ids(coco, categories=["café"]) == []
    large_enough = [str(number) for number in range(1, 17) if number % 5 and 15 * (15 + number) >= 360]
    assert ids(coco, min_area=360, categories=["dog"]) == large_enough
    for crowd, expected in (("include", {0, 1}), ("exclude", {0}), ("only", {1})):
        examples = examples_of(coco, crowd=crowd, categories=["person"], **ALL)
        assert {value for example in examples.values() for value in example["crowds"].tolist()} == expected


def test_splits_are_the_files_own_or_drawn(coco: Path) -> None:
    own = list_samples(handler_of(coco))
    assert {split: len(members) for split, members in own.items()} == {"train": 10, "validation": 3}
    assert all("val2017" in sample.id for sample in own["validation"])
    drawn = list_samples(handler_of(coco, split_from="hash", splits={"a": 1, "b": 1}))
    assert sorted(drawn) == ["a", "b"]
    handler = handler_of(coco, splits={"validation": 1})
    assert list(list_samples(handler)) == ["validation"]
    assert make_plan(handler, list_samples(handler)).warnings == [
        "the split 'train' of the raw data, 10 photos, is left out: splits names validation"
    ]


def test_the_photos_may_lie_at_the_top(own_coco: Path) -> None:
    (own_coco / "images" / "val2017").rename(own_coco / "val2017")
    (own_coco / "annotations" / "instances_train2017.json").unlink()
    assert min(sample.id for sample in handler_of(own_coco).samples()) == "val2017/000000000013.jpg"
    assert len(examples_of(own_coco)) == 3


@pytest.mark.parametrize(
    ("config", "field", "said"),
    [
        (
            {"categories": ["dgo"]},
            "config.categories[0]",
            r"no category 'dgo'\. Did you mean 'dog'\? Valid: pers",
        ),
        ({"categories": ["dog", "dog"]}, "config.categories[1]", "named twice"),
        ({"annotations": ["a\\b"]}, "config.annotations[0]", "parted by /"),
        ({"group_by": "folder"}, "config.group_by", "has no say while split_from is annotations"),
        ({"crowd": "some"}, "config.crowd", "one of include, exclude, only"),
        ({"crop_size": 300}, "config.crop_size", "larger than image_size"),
    ],
)
def test_a_wrong_option_is_named(coco: Path, config: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(BadConfig, match=said) as caught:
        list_samples(handler_of(coco, **config))
    assert [violation.field for violation in caught.value.violations] == [field]


def test_a_photo_listed_twice_is_refused(own_coco: Path) -> None:
    folder = own_coco / "annotations"
    shutil.copy(folder / "instances_val2017.json", folder / "instances_train2017.json")
    (own_coco / "images" / "val2017").rename(own_coco / "images" / "both")
    for photo in (own_coco / "images" / "both").iterdir():
        shutil.copy(photo, own_coco / "images" / photo.name)
    with pytest.raises(BadConfig, match="is listed twice, in annotations/instances_train2017"):
        list_samples(handler_of(own_coco))


def test_what_is_no_annotation_file_is_named(own_coco: Path) -> None:
    path = own_coco / "annotations" / "instances_val2017.json"
    whole = path.read_text()
    for text, said in (
        (whole[: len(whole) // 2], "cut off|Expecting"),
        ("", "empty"),
        ("[]", "not '{'"),
        (whole.replace('"file_name"', '"name"'), "an entry without 'file_name'"),
        (whole.replace('"id": 18', '"id": 19'), r"categories \[18\], which it does not list"),
    ):
        path.write_text(text)
        with pytest.raises(RawMissing, match=rf"instances_val2017.json .*({said})"):
            list_samples(handler_of(own_coco))
    shutil.rmtree(own_coco / "annotations")
    with pytest.raises(RawMissing, match="no annotation file matches"):
        list_samples(handler_of(own_coco))


def test_a_bad_photo_or_mask_is_a_bad_record(own_coco: Path) -> None:
    handler = handler_of(own_coco)
    samples = {sample.id: sample for members in list_samples(handler).values() for sample in members}
    first, second, third = sorted(samples)[:3]
    (own_coco / first).unlink()
    with pytest.raises(BadRawRecord, match="No such file"):
        list(sample_examples(handler, samples[first]))
    shutil.copy(own_coco / third, own_coco / second)
    path = own_coco / "annotations" / "instances_train2017.json"
    entries = json.loads(path.read_text())
    entries["images"][1]["height"] = HEIGHT + 10
    entries["annotations"] = [each for each in entries["annotations"] if isinstance(each["segmentation"], list)]
    entries["annotations"][-1]["segmentation"] = [[1, 2]]
    path.write_text(json.dumps(entries))
    handler = handler_of(own_coco)
    reasons = []
    for sample in (sample for members in list_samples(handler).values() for sample in members):
        try:
            list(sample_examples(handler, sample))
        except BadRawRecord as error:
            reasons.append(error.reason)
    assert any("its mask is 80x70 pixels, and the photo has another size" in reason for reason in reasons)
    assert any("it has no polygon of at least 3 points" in reason for reason in reasons)


def test_a_build_is_the_same_with_any_number_of_workers(coco: Path, tmp_path: Path) -> None:
    config = {"image_size": 32, "input_attributes": ["image", "mask", "bboxes", "id"]}
    files = [CocoHandler(config, coco).as_tfrecord(tmp_path / str(workers), workers=workers) for workers in (1, 2)]
    shards = [[Path(file).read_bytes() for file in built] for built in files]
    assert shards[0] == shards[1]
    names = [decode_example(record)["id"][0] for file in files[0] for record in read_records(file)]
    assert len(set(names)) == 13


@pytest.mark.skipif(not REAL, reason="DARKROOM_TEST_COCO names no folder in COCO's layout")
def test_every_mask_of_real_files_is_as_cocos_own_tools_have_it() -> None:
    compared = 0
    for path in sorted(Path(REAL, "annotations").glob("instances_*.json")):
        index = read_index(path)
        sizes = {photo.image_id: (photo.height, photo.width) for photo in index.photos}
        for image_id, annotation in zip(index.image_ids.tolist(), read_annotations(path, index.spans), strict=True):
            height, width = sizes[image_id]
            segmentation = annotation["segmentation"]
            if isinstance(segmentation, list):
                packed = cocotools.merge(cocotools.frPyObjects(segmentation, height, width))
            elif isinstance(segmentation["counts"], list):
                packed = cocotools.frPyObjects(segmentation, height, width)
            else:
                packed = segmentation
            assert np.array_equal(annotation_mask(annotation, height, width), cocotools.decode(packed) * 255)
            compared += 1
    assert compared > 100
