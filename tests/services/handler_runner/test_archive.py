"""The archive is the same bytes twice, and every program that reads zip files agrees on what is in it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handler_runner.archive import (
    EntryTooLarge,
    ShardEntry,
    archive_name,
    layout,
    local_header,
    manifest_bytes,
    read_manifest,
    tail_bytes,
)
from service_kit.errors import DataLoss, InvalidArgument

KEY = "0123456789abcdef" * 4
GIB = 1 << 30

shards = st.dictionaries(
    st.tuples(st.sampled_from(["train", "train0", "train_x", "test", "a"]), st.integers(0, 99_999)),
    st.binary(max_size=200),
    max_size=12,
)


def entry_of(split: str, index: int, content: bytes, record_count: int = 1) -> ShardEntry:
    digest = hashlib.sha256(content).hexdigest()
    return ShardEntry(split, index, len(content), digest, zlib.crc32(content), record_count)


def manifest_of(entries: list[ShardEntry], skipped: tuple[str, ...] = ()) -> bytes:
    return manifest_bytes(
        key=KEY,
        dataset_name="straße",
        preimage={"z": 1, "a": {"rate": 0.1}},
        entries=entries,
        features={"image": {"dtype": "bytes", "shape": []}},
        skipped=skipped,
    )


def archive_of(contents: dict[tuple[str, int], bytes]) -> bytes:
    """Join staged objects, each a local header and a shard, as the store does it."""
    entries = [entry_of(*name, content) for name, content in contents.items()]
    staged = {
        entry.name: local_header(entry.name, entry.size_bytes, entry.crc32) + content
        for entry, content in zip(entries, contents.values(), strict=True)
    }
    tail, _, archive_bytes = tail_bytes(entries, manifest_of(entries))
    archive = b"".join(staged[entry.name] for entry in layout(entries).entries) + tail
    assert len(archive) == archive_bytes
    return archive


@given(contents=shards, random=st.randoms())
def test_the_same_shards_in_any_order_give_the_same_bytes(contents: dict[tuple[str, int], bytes], random) -> None:
    shuffled = list(contents.items())
    random.shuffle(shuffled)
    assert archive_of(contents) == archive_of(dict(shuffled))


@given(contents=shards)
def test_zipfile_agrees_on_names_sizes_dates_and_contents(contents: dict[tuple[str, int], bytes]) -> None:
    with zipfile.ZipFile(BytesIO(archive_of(contents))) as archive:
        assert archive.testzip() is None
        infos = archive.infolist()
        names = sorted(f"{split}-{index:05}.tfrecord" for split, index in contents)
        assert [info.filename for info in infos] == [*names, "manifest.json"]
        for (split, index), content in contents.items():
            assert archive.read(f"{split}-{index:05}.tfrecord") == content
        for info in infos:
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.compress_type == zipfile.ZIP_STORED
            assert info.file_size == info.compress_size
            assert (info.create_system, info.external_attr) == (3, 0o100644 << 16)
            assert (info.flag_bits, info.extra, info.comment) == (0, b"", b"")


@given(contents=shards)
def test_the_manifest_says_where_each_shard_lies(contents: dict[tuple[str, int], bytes]) -> None:
    archive = archive_of(contents)
    entries = [entry_of(*name, content) for name, content in contents.items()]
    manifest = manifest_of(entries)
    _, offset, _ = tail_bytes(entries, manifest)
    assert archive[offset : offset + len(manifest)] == manifest
    for shard in json.loads(manifest)["shards"]:
        content = archive[shard["offset"] : shard["offset"] + shard["size_bytes"]]
        assert content == contents[shard["split"], shard["index"]]
        assert hashlib.sha256(content).hexdigest() == shard["sha256"]
        assert zlib.crc32(content) == shard["crc32"]


@settings(max_examples=20, deadline=None)
@given(contents=shards)
def test_unzip_finds_no_fault(contents: dict[tuple[str, int], bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "archive.zip"
    path.write_bytes(archive_of(contents))
    assert "No errors detected" in unzip("-t", path)


def test_an_archive_over_4_gib_is_read_by_zipfile_and_unzip(tmp_path: Path) -> None:
    # Two files of zeros that are never written (so their CRC is not theirs), and a small one behind 4 GiB.
    huge = [ShardEntry("test", index, 3 * GIB, "0" * 64, 0, 1) for index in range(2)]
    last = entry_of("train", 0, b"behind four GiB")
    entries = [last, *huge]
    places = layout(entries)
    tail, manifest_offset, archive_bytes = tail_bytes(entries, manifest_of(entries))
    path = tmp_path / "sparse.zip"
    with path.open("wb") as file:
        for entry, offset in zip(places.entries, places.offsets, strict=True):
            header = local_header(entry.name, entry.size_bytes, entry.crc32)
            file.seek(offset - len(header))
            file.write(header)
        file.write(b"behind four GiB")
        file.seek(places.manifest_entry_offset)
        file.write(tail)
    assert path.stat().st_size == archive_bytes > 6 * GIB
    with zipfile.ZipFile(path) as archive:
        assert archive.read("train-00000.tfrecord") == b"behind four GiB"
        assert archive.read("manifest.json") == manifest_of(entries)
        assert archive.getinfo("train-00000.tfrecord").header_offset > 6 * GIB
        assert archive.getinfo("test-00001.tfrecord").file_size == 3 * GIB
        with archive.open("test-00001.tfrecord") as file:
            assert file.read(1000) == bytes(1000)
    with path.open("rb") as file:
        file.seek(manifest_offset)
        assert read_manifest(file.read(len(manifest_of(entries)))).layout == places
    assert "No errors detected" in unzip("-t", path, "train-00000.tfrecord", "manifest.json")


@pytest.mark.parametrize("count", [65_533, 65_534, 65_535, 70_000])
def test_more_than_65535_entries_are_read_by_zipfile(count: int, tmp_path: Path) -> None:
    archive = archive_of({("train", index): b"" for index in range(count)})
    with zipfile.ZipFile(BytesIO(archive)) as read:
        assert len(read.namelist()) == count + 1
        assert read.namelist()[-2] == f"train-{count - 1:05}.tfrecord"
        assert read.read("manifest.json").startswith(b"{")
    path = tmp_path / "many.zip"
    path.write_bytes(archive)
    assert "No errors detected" in unzip("-t", path, "manifest.json")


def test_a_shard_of_4_gib_is_refused_by_name() -> None:
    ShardEntry("train", 0, 4 * GIB - 2, "0" * 64, 0, 1)
    for size_bytes in (4 * GIB - 1, 4 * GIB, 9 * GIB):
        with pytest.raises(EntryTooLarge, match=rf"train-00007\.tfrecord has {size_bytes} bytes"):
            ShardEntry("train", 7, size_bytes, "0" * 64, 0, 1)


@pytest.mark.parametrize("split", ["", "Train", "0train", "../x", "a/b", "a-b", "a" * 33, "train\n", "é"])
def test_a_bad_split_is_refused_by_name(split: str) -> None:
    with pytest.raises(InvalidArgument, match="split: must match"):
        ShardEntry(split, 0, 1, "0" * 64, 0, 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [("index", -1), ("index", 100_000), ("size_bytes", -1), ("sha256", "A" * 64), ("crc32", 1 << 32)],
)
def test_a_bad_number_is_refused_by_field(field: str, value: object) -> None:
    good = {"split": "train", "index": 0, "size_bytes": 1, "sha256": "0" * 64, "crc32": 0, "record_count": 1}
    with pytest.raises(InvalidArgument, match=field):
        ShardEntry(**(good | {field: value}))  # type: ignore[arg-type]


def test_one_shard_twice_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"test-00001\.tfrecord is there twice"):
        layout([entry_of("test", 1, b"a"), entry_of("test", 1, b"b")])


def test_the_manifest_is_canonical_json_with_its_splits_counted() -> None:
    entries = [entry_of("train", 1, b"abc", 5), entry_of("test", 0, b"", 0), entry_of("train", 0, b"de", 7)]
    manifest = manifest_of(entries, ("b.jpg: not an image", "a.jpg: not an image"))
    assert manifest == manifest_of(entries[::-1], ("a.jpg: not an image", "b.jpg: not an image"))
    facts = json.loads(manifest)
    assert manifest.decode() == json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    assert facts["format"] == 1
    assert facts["dataset_name"] == "straße"
    assert facts["splits"] == {
        "test": {"examples": 0, "shards": 1, "bytes": 0},
        "train": {"examples": 12, "shards": 2, "bytes": 5},
    }
    assert [shard["name"] for shard in facts["shards"]] == [entry.name for entry in layout(entries).entries]
    assert facts["skipped"] == ["a.jpg: not an image", "b.jpg: not an image"]


@given(contents=shards)
def test_a_manifest_is_read_back(contents: dict[tuple[str, int], bytes]) -> None:
    entries = [entry_of(*name, content) for name, content in contents.items()]
    manifest = read_manifest(manifest_of(entries, ("a: b",)))
    assert manifest.layout == layout(entries)
    assert (manifest.key, manifest.dataset_name, manifest.skipped) == (KEY, "straße", ("a: b",))
    assert manifest.preimage == {"z": 1, "a": {"rate": 0.1}}
    assert manifest.features == {"image": {"dtype": "bytes", "shape": []}}


def test_a_later_field_in_a_manifest_is_no_damage() -> None:
    facts = json.loads(manifest_of([entry_of("train", 0, b"a")]))
    facts["shards"][0]["later"] = facts["later"] = 1
    assert read_manifest(json.dumps(facts).encode()).layout.entries == (entry_of("train", 0, b"a"),)


@given(data=st.data())
def test_a_damaged_manifest_is_data_loss(data: st.DataObject) -> None:
    manifest = manifest_of([entry_of("train", 0, b"a"), entry_of("train", 1, b"b")])
    cut = data.draw(st.integers(0, len(manifest) - 2))
    with pytest.raises(DataLoss):
        read_manifest(manifest[:cut])


@pytest.mark.parametrize(
    "damage",
    [
        {"format": 2},
        {"format": None},
        {"shards": None},
        {"shards": [{}]},
        {"preimage": 1},
        {"shards": [{"split": 5}]},
    ],
)
def test_a_manifest_of_the_wrong_shape_is_data_loss(damage: dict[str, object]) -> None:
    facts = json.loads(manifest_of([entry_of("train", 0, b"a")]))
    with pytest.raises(DataLoss):
        read_manifest(json.dumps(facts | damage).encode())


def test_a_manifest_with_a_shifted_offset_is_data_loss() -> None:
    facts = json.loads(manifest_of([entry_of("train", 0, b"a")]))
    facts["shards"][0]["offset"] += 1
    with pytest.raises(DataLoss, match="cannot lie where"):
        read_manifest(json.dumps(facts).encode())


def test_the_format_is_the_one_that_published_archives_have() -> None:
    # A digest of a dataset must not change with a version of Darkroom: a rebuild would differ from what is in use.
    archive = archive_of({("train", 0): b"abc", ("train", 1): b"", ("test", 0): b"x" * 100})
    assert hashlib.sha256(archive).hexdigest() == "45d71868962f160cd67ec266c3d43cc7e9edcd7e6d0c5f3d60d7bb2530b65a32"


def test_the_archives_name_has_the_version_encoded() -> None:
    assert archive_name("street", "feature/a+b", KEY) == f"street_feature%2Fa%2Bb_{KEY}.zip"


def unzip(*arguments: object) -> str:
    program = shutil.which("unzip")
    assert program, "this test needs the program unzip: install the package of that name"
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
