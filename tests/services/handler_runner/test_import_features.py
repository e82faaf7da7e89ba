"""Features are found in every record: what varies anywhere varies in the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from dataset_handlers.example import encode_example
from dataset_handlers.tfrecord import write_record
from handler_runner.import_features import features_of, join_features


def file_of(path: Path, *examples: dict[str, Any] | bytes) -> Path:
    with path.open("wb") as file:
        for example in examples:
            write_record(file, example if isinstance(example, bytes) else encode_example(example))
    return path


def test_the_last_record_counts_as_the_first(tmp_path: Path) -> None:
    same = [{"label": 1, "points": [1.0, 2.0]}] * 300
    path = file_of(tmp_path / "a", *same, {"label": 1, "points": [1.0, 2.0, 3.0]})
    assert features_of(path) == {
        "label": {"dtype": "int64", "shape": []},
        "points": {"dtype": "float32", "shape": [None]},
    }


def test_what_some_records_lack_is_of_varying_length(tmp_path: Path) -> None:
    path = file_of(tmp_path / "a", {"a": 1, "b": b"x"}, {"a": 2})
    assert features_of(path)["b"]["shape"] == [None]
    one, other = {"a": {"dtype": "int64", "shape": []}}, features_of(path)
    assert join_features([(5, one), (2, other)])["b"]["shape"] == [None]
    assert join_features([(5, one), (0, {})]) == one, "an empty file has no say"


def test_pictures_of_many_sizes_keep_their_encoding(tmp_path: Path) -> None:
    import cv2

    pictures = [cv2.imencode(".png", np.zeros((4, 1 + n, 3), np.uint8))[1].tobytes() for n in range(300)]
    found = features_of(file_of(tmp_path / "a", *({"image": picture} for picture in pictures)))
    assert found == {"image": {"dtype": "bytes", "shape": [], "encoding": "png", "image_shape": [4, None, 3]}}


def test_records_that_are_no_examples_or_do_not_fit_have_no_features(tmp_path: Path) -> None:
    assert features_of(file_of(tmp_path / "a", {"a": 1}, b"\xff\xff no example")) == {}
    assert features_of(file_of(tmp_path / "b", {"a": 1}, {"a": 1.5})) == {}
    number, text = {"a": {"dtype": "int64", "shape": []}}, {"a": {"dtype": "bytes", "shape": []}}
    assert join_features([(1, number), (1, text)]) == {}
    assert join_features([(1, number), (1, {})]) == {}
