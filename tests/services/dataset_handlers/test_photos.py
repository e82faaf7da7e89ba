"""Photos are listed the same way wherever they lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dataset_handlers.photos import list_photos, photo_samples


def test_photos_are_listed_sorted_by_their_relative_path(photos: Path) -> None:
    names = list_photos(photos)
    assert len(names) == 24
    assert names == sorted(names)
    assert names[0] == "cats/photo 00.png"
    assert [sample.id for sample in photo_samples(photos)] == names


def test_hidden_files_and_other_files_are_left_out(tmp_path: Path) -> None:
    for name in ("a.JPG", "notes.txt", ".hidden.jpg", ".hidden/b.jpg", "c/d.webp", "e.tfrecord"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert list_photos(tmp_path) == ["a.JPG", "c/d.webp"]


def test_links_are_followed_inside_and_not_outside(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root / "real", outside):
        folder.mkdir(parents=True)
        (folder / "a.jpg").write_bytes(b"")
    (root / "inside.jpg").symlink_to(root / "real" / "a.jpg")
    (root / "folder").symlink_to(root / "real")
    (root / "outside.jpg").symlink_to(outside / "a.jpg")
    (root / "elsewhere").symlink_to(outside)
    (root / "broken.jpg").symlink_to(root / "nothing.jpg")
    (root / "real" / "round").symlink_to(root)
    assert list_photos(root) == ["folder/a.jpg", "inside.jpg", "real/a.jpg"]
    (tmp_path / "link").symlink_to(root)
    assert list_photos(tmp_path / "link") == list_photos(root)


@pytest.mark.skipif(os.name != "posix", reason="file names are bytes on POSIX only")
def test_a_name_that_is_no_unicode_is_listed(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jpg")).write_bytes(b"")
    assert list_photos(tmp_path) == ["\udcff.jpg"]
