"""A build without a service gives the same files, at any number of workers, and goes on where it stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_handlers.errors import BadRawRecord
from dataset_handlers.stock_inpainting import InpaintingHandler
from dataset_handlers.tfrecord import count_records

CONFIG = {"image_size": 32, "variations_per_sample": 2, "splits": {"train": 1, "test": 1}}


def test_any_number_of_workers_gives_the_same_bytes(photos: Path, tmp_path: Path) -> None:
    builds = [
        InpaintingHandler(CONFIG, photos).as_tfrecord(tmp_path / str(workers), workers=workers) for workers in (1, 2)
    ]
    assert [Path(file).name for file in builds[0]] == ["test-00000.tfrecord", "train-00000.tfrecord"]
    assert [Path(file).read_bytes() for file in builds[0]] == [Path(file).read_bytes() for file in builds[1]]
    assert sum(count_records(file) for file in builds[0]) == 48


def test_shards_that_are_there_are_kept(photos: Path, tmp_path: Path) -> None:
    files = [Path(file) for file in InpaintingHandler(CONFIG, photos).as_tfrecord(tmp_path)]
    files[0].unlink()
    before = files[1].stat()
    assert InpaintingHandler(CONFIG, photos).as_tfrecord(tmp_path) == [str(file) for file in files]
    assert files[1].stat() == before
    assert files[0].is_file()


def test_shards_of_another_config_or_of_other_photos_are_not_kept(own_photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    first = {file: Path(file).read_bytes() for file in InpaintingHandler(CONFIG, own_photos).as_tfrecord(folder)}
    other = InpaintingHandler({**CONFIG, "seed": 1}, own_photos).as_tfrecord(folder)
    assert all(Path(file).read_bytes() != first[file] for file in other)
    (own_photos / "cats" / "photo 00.png").write_bytes((own_photos / "cats" / "photo 15.png").read_bytes())
    changed = InpaintingHandler(CONFIG, own_photos).as_tfrecord(folder)
    assert [Path(file).read_bytes() for file in changed] != list(first.values())


def test_a_file_beside_the_photos_counts_as_well(own_photos: Path, tmp_path: Path) -> None:
    (own_photos / "labels.txt").write_text("one")
    folder = tmp_path / "out"
    kept = [Path(file) for file in InpaintingHandler(CONFIG, own_photos).as_tfrecord(folder)]
    kept[0].write_bytes(b"not built again")
    InpaintingHandler(CONFIG, own_photos).as_tfrecord(folder)
    assert kept[0].read_bytes() == b"not built again"
    (own_photos / "labels.txt").write_text("another")
    InpaintingHandler(CONFIG, own_photos).as_tfrecord(folder)
    assert kept[0].read_bytes() != b"not built again"


def test_too_many_bad_photos_end_it(own_photos: Path, tmp_path: Path) -> None:
    (own_photos / "cats" / "photo 00.png").write_bytes(b"")
    assert InpaintingHandler(CONFIG, own_photos).as_tfrecord(tmp_path / "one")
    with pytest.raises(BadRawRecord, match=r"cats/photo 00.png: the file is empty; 1 bad files, 0 allowed"):
        InpaintingHandler({**CONFIG, "max_bad_fraction": 0}, own_photos).as_tfrecord(tmp_path / "none")
