"""A handler that writes its own files: where they are, what they hold, and what is wrong with them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from dataset_handlers.errors import HandlerError
from dataset_handlers.example import encode_example
from dataset_handlers.records import run_as_tfrecord, split_of_file
from dataset_handlers.tfrecord import write_record


class Writer:
    def __init__(self, write: Any) -> None:
        self.as_tfrecord = write


def write(path: Path | str, *records: bytes) -> str:
    with open(path, "wb") as file:
        for record in records:
            write_record(file, record)
    return str(path)


def test_files_are_counted_and_described_in_the_handlers_order(tmp_path: Path) -> None:
    example = encode_example({"x": [1, 2], "name": b"a", "size": 3})
    other = encode_example({"x": [1], "name": b"b", "size": 4})

    def as_tfrecord() -> list[Path | str]:
        return [Path(write("train_1.tfrecord", example, other)), write(tmp_path / "val-0.tfrecord", example)]

    result = run_as_tfrecord(Writer(as_tfrecord), tmp_path / "scratch")
    assert result["files"] == [
        {"path": str(tmp_path / "scratch" / "train_1.tfrecord"), "split": "train", "records": 2},
        {"path": str(tmp_path / "val-0.tfrecord"), "split": "validation", "records": 1},
    ]
    assert result["features"] == {
        "name": {"dtype": "bytes", "shape": []},
        "size": {"dtype": "int64", "shape": []},
        "x": {"dtype": "int64", "shape": [None]},
    }


def test_it_works_in_a_folder_of_its_own_and_leaves_no_trace(tmp_path: Path) -> None:
    before = os.getcwd(), os.environ.get("TMPDIR"), tempfile.gettempdir()
    seen = {}

    def as_tfrecord() -> str:
        seen.update(cwd=os.getcwd(), temporary=tempfile.gettempdir())
        return write("a.tfrecord", b"x")

    run_as_tfrecord(Writer(as_tfrecord), tmp_path / "own")
    assert seen == {"cwd": str(tmp_path / "own"), "temporary": str(tmp_path / "own")}
    assert (os.getcwd(), os.environ.get("TMPDIR"), tempfile.gettempdir()) == before


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("train-00000.tfrecord", "train"),
        ("val_1.tfrecord", "validation"),
        ("Validation.tfrecord", "validation"),
        ("test1.tfrecord", "test"),
        ("out/test/0001.tfrecord", "test"),
        ("testimony.tfrecord", "train"),
        ("data.tfrecord", "train"),
    ],
)
def test_a_files_name_says_its_split(path: str, split: str) -> None:
    assert split_of_file(Path(path)) == split


def test_records_that_are_no_examples_have_no_features(tmp_path: Path) -> None:
    result = run_as_tfrecord(Writer(lambda: [write("a.tfrecord", b"just bytes")]), tmp_path)
    assert result["features"] == {}
    assert result["files"][0]["records"] == 1


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "returned NoneType; a list of the paths"),
        ([3], "a list of the paths"),
        ([], "returned no file"),
        (["gone.tfrecord"], "gone.tfrecord, which is not there"),
        (["a.tfrecord", "./a.tfrecord"], "a file twice"),
        (["broken.tfrecord"], "no TFRecord file: .*broken.tfrecord: the file ends inside"),
    ],
)
def test_a_wrong_answer_is_explained(tmp_path: Path, returned: Any, message: str) -> None:
    def as_tfrecord() -> Any:
        write("a.tfrecord", b"x")
        Path("broken.tfrecord").write_bytes(b"abc")
        return returned

    with pytest.raises(HandlerError, match=message):
        run_as_tfrecord(Writer(as_tfrecord), tmp_path)
