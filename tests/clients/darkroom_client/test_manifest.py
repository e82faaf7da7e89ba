"""A manifest from elsewhere is read with care."""

import json

import pytest

from darkroom_client import DataLoss
from darkroom_client.manifest import Feature, Manifest


@pytest.fixture
def fields(dataset_folder) -> dict:
    return json.loads((dataset_folder / "manifest.json").read_bytes())


def parse(fields: dict) -> Manifest:
    return Manifest.parse(json.dumps(fields).encode())


def test_a_manifest_says_what_the_archive_holds(fields):
    manifest = parse(fields)
    assert manifest.splits == {"train": 80, "test": 20}
    assert [shard.records for shard in manifest.shards] == [20, 30, 30, 20]
    assert manifest.features["image"].image_shape == (8, 8, 3)
    assert manifest.features["tags"].shape == (None,)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", ".hidden"])
def test_a_shard_name_that_leads_out_of_the_folder_is_refused(fields, name):
    fields["shards"][0]["name"] = name
    with pytest.raises(DataLoss, match="leads out of the folder"):
        parse(fields)


def test_another_format_is_refused_with_advice(fields):
    with pytest.raises(DataLoss, match="format 2, this client reads 1; install a newer darkroom"):
        parse(fields | {"format": 2})


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"format": 1}'])
def test_what_is_no_manifest_is_refused(content):
    with pytest.raises(DataLoss):
        Manifest.parse(content)


def test_examples_stack_only_when_every_side_is_known():
    assert Feature("image", "bytes", (), "jpeg", image_shape=(8, 8, 3)).is_static
    assert not Feature("image", "bytes", (), "jpeg", image_shape=(None, 8, 3)).is_static
    assert not Feature("tags", "int64", (None,)).is_static
    assert Feature("label", "int64", ()).is_static
