"""Photos for tests are real files, each another, and the same each time."""

from __future__ import annotations

from pathlib import Path

from dataset_handlers.operations import read_image
from dataset_handlers.testing import make_photos


def test_they_are_made_alike_each_time(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in make_photos(tmp_path / "first", 5)]
    assert first == [path.read_bytes() for path in make_photos(tmp_path / "second", 5)]
    assert len(set(first)) == 5


def test_they_have_the_size_and_kind_that_was_asked_for(tmp_path: Path) -> None:
    (path,) = make_photos(tmp_path, 1, (7, 90), ".png")
    assert path.name == "photo-00.png"
    assert path.read_bytes()[1:4] == b"PNG"
    assert read_image(path).shape == (7, 90, 3)
