"""The stock handler for classification: a folder is a class."""

from __future__ import annotations

from pathlib import Path

from dataset_handlers.example import decode_example
from dataset_handlers.stock_images import ImagesHandler
from dataset_handlers.testing import check_handler
from dataset_handlers.tfrecord import read_records


def test_the_contract_is_kept(photos: Path) -> None:
    report = check_handler(ImagesHandler, {"image_size": 32, "crop_size": 24, "random_flip": True}, photos)
    assert report.examples == 24
    assert list(report.features) == ["height", "id", "image", "label", "label_name", "width"]
    assert report.features["image"]["image_shape"] == [24, 24, 3]


def test_folders_are_classes_in_sorted_order(photos: Path, tmp_path: Path) -> None:
    files = ImagesHandler({"image_size": 16}, photos).as_tfrecord(tmp_path)
    examples = [decode_example(record) for file in files for record in read_records(file)]
    found = {(example["label_name"][0], example["label"][0]) for example in examples}
    assert found == {(b"cats", 0), (b"dogs", 1), (b"no class", 2)}
    assert all(example["id"][0].startswith(example["label_name"][0]) for example in examples)


def test_a_photo_in_no_folder_has_no_class(own_photos: Path) -> None:
    (own_photos / "cats" / "photo 00.png").rename(own_photos / "alone.png")
    samples = {sample.id: sample.data for sample in ImagesHandler({}, own_photos).samples()}
    assert samples["alone.png"] == (-1, "")
    assert samples["dogs/photo 01.jpg"] == (1, "dogs")
