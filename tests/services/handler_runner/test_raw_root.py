"""What is a raw dataset."""

from __future__ import annotations

import pytest

from handler_runner.failure import WorkFailed
from handler_runner.raw_root import RawRoot


def counts(root):
    return {name: raw.file_count for name, raw in RawRoot(root).datasets().items()}


def test_each_folder_is_a_raw_dataset_with_its_files_counted(tmp_path):
    (tmp_path / "street" / "2019").mkdir(parents=True)
    (tmp_path / "street" / "2019" / "a.jpg").touch()
    (tmp_path / "street" / "b.jpg").touch()
    (tmp_path / "street" / ".hidden").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / ".trash").mkdir()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "itself.jpg").symlink_to(tmp_path / "itself.jpg")
    assert counts(tmp_path) == {"street": 2, "empty": 0}


def test_a_root_that_holds_photos_is_itself_one(tmp_path):
    root = tmp_path / "holiday"
    root.mkdir()
    (root / "a.JPG").touch()
    assert counts(root) == {"holiday": 1}
    assert RawRoot(root).path("holiday") == root


def test_a_link_to_another_disk_is_served(tmp_path):
    (tmp_path / "disk" / "coco").mkdir(parents=True)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "coco").symlink_to(tmp_path / "disk" / "coco")
    assert RawRoot(tmp_path / "raw").path("coco") == tmp_path / "disk" / "coco"


def test_a_name_out_of_the_grammar_is_left_out_and_told_once(tmp_path, capsys):
    (tmp_path / "my photos").mkdir()
    root = RawRoot(tmp_path)
    assert root.datasets() == root.datasets() == {}
    assert capsys.readouterr().out.count("rename the folder") == 1


def test_a_missing_one_is_named_with_those_that_there_are(tmp_path):
    (tmp_path / "street").mkdir()
    with pytest.raises(WorkFailed, match=r"'places' is missing.*there are: street"):
        RawRoot(tmp_path).path("places")


def test_a_new_file_is_counted_at_the_next_look(tmp_path):
    (tmp_path / "street").mkdir()
    root = RawRoot(tmp_path)
    assert root.datasets()["street"].file_count == 0
    (tmp_path / "street" / "a.jpg").touch()
    assert root.datasets()["street"].file_count == 1


def test_a_missing_root_serves_nothing(tmp_path):
    assert RawRoot(tmp_path / "nowhere").datasets() == {}
