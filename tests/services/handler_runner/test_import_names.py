"""The words in a file's name say its split; numbers count within a split, in the order given."""

from __future__ import annotations

import pytest

from handler_runner.import_names import numbered, split_of


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.tfrecord", "train"),
        ("street_train_00001-of-00010.tfrecord", "train"),
        ("TEST-1.tfrecord", "test"),
        ("val/0.tfrecord", "validation"),
        ("a/valid_2.tfrecord", "validation"),
        ("a/validation/b/7.tfrecord", "validation"),
        ("training/testing_3.tfrecord", "test"),
        ("0.tfrecord", "train"),
        ("contest/trainer.tfrecord", "train"),
        ("latest/0.tfrecord", "train"),
    ],
)
def test_the_nearest_word_says_the_split(name: str, split: str) -> None:
    assert split_of(name) == split


def test_files_are_numbered_in_their_split() -> None:
    assert numbered(["test/a", "train/b", "test/c", "d"]) == [("test", 0), ("train", 0), ("test", 1), ("train", 1)]
