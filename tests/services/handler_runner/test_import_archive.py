"""An import: an archive of ours out of one of theirs, the same bytes whoever was interrupted, failures by name."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

from dataset_handlers.example import encode_example
from dataset_handlers.tfrecord import write_record
from dataset_registry.records import Dataset

KEY = hashlib.md5(b"{}").hexdigest()
NAME = f"street_1.2.0_{KEY}.zip"
PREIMAGE = json.dumps({"imported": NAME, "dataset_name": "street", "handler_version": "1.2.0", "sha256": "0" * 64})


def records(*examples: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    for example in examples:
        write_record(file, encode_example(example))
    return file.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def queue(bench, data: bytes) -> str:
    """Keep an archive as the registry would, in two parts, and queue its import."""
    for number, part in enumerate((data[:100], data[100:])):
        bench.store.put(f"{KEY}/import-1/part-{number:06}", part)
    task = {"key": KEY, "object": f"{KEY}/import-1/", "file_name": NAME, "preimage_json": PREIMAGE}

    def step(tx: Any) -> None:
        known = tx.get(Dataset, KEY)
        dataset = Dataset(id=KEY, revision=known.revision if known else 0, dataset_name="street", version="1.2.0")
        tx.put(dataset)

    bench.registry.catalog.write(step)
    return bench.registry.queue("IMPORT", task, KEY)


def manifest_of(archive: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return json.loads(opened.read("manifest.json"))


async def test_their_files_become_our_archive(bench):
    train, test = records({"a": 1}, {"a": 2, "b": b"x"}), records({"a": 3})
    bench.start()
    data = zipped({"d/x_2.tfrecord": test, "d/x_10.tfrecord": train, "d/test/y.tfrecord": test, "d/note.txt": b"."})
    work = await bench.registry.finished(queue(bench, data))
    assert work.state == "DONE", work.failure
    archive = bench.archive(work)
    assert work.result["archive_object"].endswith(f"/{NAME}")
    manifest = manifest_of(archive)
    assert (manifest["key"], manifest["preimage"]) == (KEY, json.loads(PREIMAGE))
    assert {shard["name"]: shard["records"] for shard in manifest["shards"]} == {
        "test-00000.tfrecord": 1,
        "train-00000.tfrecord": 1,
        "train-00001.tfrecord": 2,
    }
    assert manifest["features"]["b"]["shape"] == [None]
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.read("train-00001.tfrecord") == train


async def test_a_runner_that_takes_over_keeps_what_is_committed(bench):
    data = zipped({f"{n}.tfrecord": records({"a": n}) for n in range(150)})
    bench.start()
    identity = queue(bench, data)
    await bench.registry.until(lambda: bench.registry.shards(KEY))
    await bench.stop()
    kept = len(bench.registry.shards(KEY))
    assert 0 < kept < 150
    bench.start()
    work = await bench.registry.finished(identity, timeout_s=60)
    assert work.state == "DONE", work.failure
    assert work.attempt == 2
    assert int(work.progress["shards_reused"]) == kept
    names = [shard["name"] for shard in manifest_of(bench.archive(work))["shards"]]
    assert names == [f"train-{n:05}.tfrecord" for n in range(150)]


async def test_a_file_that_holds_no_records_is_named(bench):
    bench.start()
    work = await bench.registry.finished(queue(bench, zipped({"a.tfrecord": records({"a": 1}), "b.tfrecord": b"oh"})))
    assert work.state == "FAILED"
    assert work.failure["failure_class"] == "BAD_ARCHIVE"
    assert "'b.tfrecord' is no TFRecord file" in work.failure["message"]
    assert NAME in work.failure["message"]


async def test_records_of_another_kind_are_kept_as_they_are(bench):
    file = io.BytesIO()
    write_record(file, b"\xff\xff\xff not an example")
    bench.start()
    work = await bench.registry.finished(queue(bench, zipped({"a.tfrecord": file.getvalue()})))
    assert work.state == "DONE", work.failure
    assert manifest_of(bench.archive(work))["features"] == {}
    assert "not all tf.train.Example" in bench.registry.log(KEY)
