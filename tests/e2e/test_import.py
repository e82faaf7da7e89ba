"""An archive of the original system becomes a dataset like any other, whoever dies on the way."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from darkroom_client import AlreadyExists, DatasetState, FailedPrecondition, InvalidArgument, RequestFailed

from .house import House
from .old_archives import old_name, tfrecords, write_old_archive
from .process import until

FILES = {
    "street/train_10.tfrecord": tfrecords([{"image": b"late", "label": 10, "weights": [1.0, 2.0]}] * 3),
    "street/train_2.tfrecord": tfrecords([{"image": b"early", "label": 2}] * 2),
    "street/val/0.tfrecord": tfrecords([{"image": b"v", "label": 7, "weights": [0.5]}]),
    "street/config.json": b"{}",
    "__MACOSX/street/._train_2.tfrecord": b"no records",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory, photos):
    house = House(tmp_path_factory.mktemp("import") / "house", photos, LEASE_S="2")
    try:
        yield house.start()
    finally:
        house.end()


def test_an_old_archive_is_imported_and_is_a_dataset_like_any_other(house: House, tmp_path: Path) -> None:
    path = write_old_archive(tmp_path, FILES)
    key = path.stem.rpartition("_")[2]
    imported = house.darkroom("import", str(path), "--json").ok().json
    assert (imported["key"], imported["dataset_name"], imported["handler_version"]) == (key, "street", "1.2.0")
    assert imported["state"] == "READY"
    assert imported["splits"] == {"train": 5, "validation": 1}
    assert imported["archive"] == path.name
    client = house.client
    assert client.get_dataset(path.name).preimage["imported"] == path.name
    assert key in [each.key for each in client.list_datasets("street")]
    dataset = client.download("street")
    assert dataset.key == client.get_dataset(key[:10]).key == key
    examples = list(dataset.as_numpy("train"))
    # Files are counted as people count them, and what only some records hold is empty in the others.
    assert [int(each["label"]) for each in examples] == [2, 2, 10, 10, 10]
    assert [each["weights"].tolist() for each in examples] == [[], [], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]
    assert [each["image"] for each in dataset.as_numpy("validation")] == [b"v"]
    assert [each["weights"].numpy().tolist() for each in dataset.as_tf("train").skip(1).take(2)] == [[], [1.0, 2.0]]
    assert client.verify(key, full=True).shards_read == 3
    with pytest.raises(FailedPrecondition, match="was imported"):
        client.verify(key, rebuild_count=1)
    again = house.darkroom("import", str(path)).ok()
    assert "was there already" in again.err
    assert again.out.strip() == key


def test_another_archive_under_a_key_is_refused_until_the_first_is_deleted(house: House, tmp_path: Path) -> None:
    name = old_name(config='{"twice": true}')
    stored = write_old_archive(tmp_path, FILES, name, zipfile.ZIP_STORED)
    first = house.client.import_archive(stored)
    # So large that the answer comes long before its end.
    large = tfrecords([{"x": np.random.default_rng(1).bytes(30 << 20)}])
    other = write_old_archive(tmp_path, {"a.tfrecord": large}, "renamed.zip", zipfile.ZIP_STORED)
    with pytest.raises(InvalidArgument, match="DATASET_VERSION_MD5"):
        house.client.import_archive(other)
    with pytest.raises(AlreadyExists, match="another archive"):
        house.client.import_archive(other, name=name)
    house.client.delete(first.key)
    with pytest.raises(FailedPrecondition, match="import its archive again"):
        house.client.download(first.key)
    found = house.client.import_archive(other, name=name)
    assert found.splits == {"train": 1}


def test_a_bad_archive_fails_by_the_name_of_the_bad_file(house: House, tmp_path: Path) -> None:
    good = tfrecords([{"x": 1}] * 50)
    path = write_old_archive(tmp_path, {"good.tfrecord": good, "cut.tfrecord": good[:-3]}, old_name(config="bad"))
    with pytest.raises(RequestFailed, match=r"cut\.tfrecord"):
        house.client.import_archive(path)
    assert house.client.get_dataset(path.name).state is DatasetState.FAILED
    path.write_bytes(b"not a zip file, but long enough to be one")
    refused = house.darkroom("import", str(path))
    assert refused.code == 2
    assert "is no zip file" in refused.err


def test_an_import_survives_its_runner_and_its_client(house: House, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    shard = tfrecords([{"image": random.bytes(4000), "label": n} for n in range(50)])
    path = write_old_archive(tmp_path, {f"test/{n}.tfrecord": shard for n in range(60)}, old_name(config="kill"))
    house.runner.kill()
    with house.darkroom_running("import", str(path)) as sending:
        until(lambda: len(house.client.list_datasets("street", state=DatasetState.BUILDING)) == 1, "the upload", 60)
        sending.kill()
    house.start_runner()
    until(lambda: house.client.get_dataset(path.name).shards_done > 0, "the first files", 60)
    house.runner.kill()
    house.start_runner()
    until(lambda: house.client.get_dataset(path.name).final, "the import", 90)
    found = house.client.get_dataset(path.name)
    assert found.state is DatasetState.READY, found.failure
    assert found.splits == {"test": 3000}
    assert house.client.verify(found.key, full=True).ok
    assert os.path.getsize(house.archive(found.key)) == found.size_bytes
