"""TensorFlow's own parser and writer agree with ours, byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_handlers import DatasetHandler, HandlerError, Sample
from dataset_handlers.example import decode_example, encode_example
from dataset_handlers.handler_class import make_handler
from dataset_handlers.stock_inpainting import InpaintingHandler
from dataset_handlers.tfrecord import read_records, write_record

tf = pytest.importorskip("tensorflow")

INT64 = st.integers(-(2**63), 2**63 - 1)
FLOAT32 = st.floats(width=32, allow_nan=False)
VALUES = (
    st.lists(st.binary(max_size=300), min_size=1, max_size=3)
    | st.lists(INT64, min_size=1, max_size=50)
    | st.lists(FLOAT32, min_size=1, max_size=50)
)


def as_tensorflow(values: dict[str, list[Any]]) -> bytes:
    example = tf.train.Example()
    for name, items in values.items():
        feature = example.features.feature[name]
        if isinstance(items[0], bytes):
            feature.bytes_list.value.extend(items)
        elif isinstance(items[0], int):
            feature.int64_list.value.extend(items)
        else:
            feature.float_list.value.extend(items)
    return bytes(example.SerializeToString(deterministic=True))


# Names of one length: protobuf's Python and C++ disagree about the place of a name that begins another.
@given(st.dictionaries(st.text(min_size=5, max_size=5), VALUES, min_size=1, max_size=5))
@settings(deadline=None)
def test_an_example_has_the_bytes_that_protobuf_gives_it(values: dict[str, list[Any]]) -> None:
    theirs = as_tensorflow(values)
    assert encode_example(values) == theirs
    assert decode_example(theirs) == values


@given(st.dictionaries(st.text(max_size=20), VALUES, max_size=5))
@settings(deadline=None)
def test_protobuf_reads_every_example_of_ours(values: dict[str, list[Any]]) -> None:
    ours, theirs = (tf.train.Example.FromString(data) for data in (encode_example(values), as_tensorflow(values)))
    assert ours.features == theirs.features


def test_arrays_have_the_bytes_that_protobuf_gives_them() -> None:
    numbers = np.array([0, 1, -1, 127, 128, 2**63 - 1, -(2**63)] * 20)
    floats = np.linspace(-3, 3, 99, dtype=np.float32)
    ours = encode_example({"numbers": numbers, "floats": floats.reshape(9, 11)})
    assert ours == as_tensorflow({"numbers": numbers.tolist(), "floats": floats.tolist()})


def test_tensorflow_reads_our_file_and_we_read_its(tmp_path: Path) -> None:
    records = [b"", b"one", bytes(100_000)]
    with (tmp_path / "ours").open("wb") as file:
        for record in records:
            write_record(file, record)
    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as writer:
        for record in records:
            writer.write(record)
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()
    assert [bytes(record.numpy()) for record in tf.data.TFRecordDataset(str(tmp_path / "ours"))] == records
    assert list(read_records(tmp_path / "theirs")) == records


def test_a_handlers_files_become_batches_of_pictures(photos: Path, tmp_path: Path) -> None:
    config = {"image_size": [32, 48], "batch_size": 5, "input_attributes": ["image", "mask", "height", "id"]}
    handler = make_handler(InpaintingHandler, config, {"photos": str(photos)})
    files = handler.as_tfrecord(tmp_path / "built")
    batches = list(handler.tf_records_mapper(files))
    assert sum(len(batch["id"]) for batch in batches) == 24
    assert batches[0]["image"].shape == (5, 32, 48, 3)
    assert batches[0]["image"].dtype == tf.uint8
    assert batches[0]["mask"].shape == (5, 32, 48, 1)
    assert set(np.unique(batches[0]["mask"])) == {0, 255}
    assert batches[0]["height"].numpy().tolist() == [32] * 5
    assert batches[0]["id"].numpy()[0].endswith((b".jpg", b".png"))


class ArraysHandler(DatasetHandler):
    """Every kind of feature."""

    def samples(self) -> Any:
        return [Sample(f"{number:02}") for number in range(12)]

    def examples(self, sample: Sample, rng: Any) -> Any:
        number = int(sample.id)
        yield {
            "id": sample.id,
            "depth": np.full((3, 4), number, np.uint16),
            "seen": np.array([True, False, number % 2 == 0]),
            "points": np.full((number + 1, 2), 7, np.int8),
            "ragged": list(range(number)),
            "box": np.full((2, 2), 0.5),
        }


@pytest.mark.parametrize("note", ["build.json", "manifest.json"])
def test_arrays_come_back_as_arrays(tmp_path: Path, note: str) -> None:
    handler = ArraysHandler({}, tmp_path)
    files = handler.as_tfrecord(tmp_path / "built")
    # A dataset from the cache has its manifest beside its shards.
    (tmp_path / "built" / "build.json").rename(tmp_path / "built" / note)
    examples = {example["id"].numpy(): example for example in handler.tf_records_mapper(files)}
    assert len(examples) == 12
    example = examples[b"06"]
    assert example["depth"].dtype == tf.uint16
    assert example["depth"].numpy().tolist() == [[6] * 4] * 3
    assert example["seen"].numpy().tolist() == [True, False, True]
    assert example["points"].shape == (7, 2)
    assert example["ragged"].numpy().tolist() == list(range(6))
    assert example["box"].numpy().tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_without_a_note_the_records_say_what_they_can(tmp_path: Path) -> None:
    handler = ArraysHandler({}, tmp_path)
    files = handler.as_tfrecord(tmp_path / "built")
    (tmp_path / "built" / "build.json").unlink()
    example = next(iter(handler.tf_records_mapper(files)))
    assert example["depth"].dtype == tf.string
    assert example["box"].numpy().tolist() == [0.5] * 4


def test_files_of_something_else_are_refused(tmp_path: Path) -> None:
    with (tmp_path / "x.tfrecord").open("wb") as file:
        write_record(file, b"no example")
    with pytest.raises(HandlerError, match=r"override tf_records_mapper\(\)"):
        ArraysHandler({}, tmp_path).tf_records_mapper([str(tmp_path / "x.tfrecord")])
