"""TFRecord files are written as TensorFlow writes them, and a damaged one is found and located."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataset_handlers.tfrecord import BadTFRecord, count_records, read_records, write_record

shared_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def write_file(path: Path, records: list[bytes]) -> Path:
    with path.open("wb") as file:
        for record in records:
            write_record(file, record)
    return path


@given(records=st.lists(st.binary(max_size=200), max_size=6))
@shared_folder
def test_what_is_written_reads_back(tmp_path: Path, records: list[bytes]) -> None:
    path = write_file(tmp_path / "a.tfrecord", records)
    assert list(read_records(path)) == records
    assert count_records(path) == len(records)


@given(records=st.lists(st.binary(max_size=60), min_size=1, max_size=3), data=st.data())
@shared_folder
def test_any_flipped_byte_is_found(tmp_path: Path, records: list[bytes], data: st.DataObject) -> None:
    path = write_file(tmp_path / "a.tfrecord", records)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with pytest.raises(BadTFRecord):
        count_records(path)


def test_a_file_cut_off_anywhere_but_between_records_is_found(tmp_path: Path) -> None:
    records = [b"one", b"", b"three"]
    whole = write_file(tmp_path / "a.tfrecord", records).read_bytes()
    ends = [len(write_file(tmp_path / "b.tfrecord", records[:count]).read_bytes()) for count in range(4)]
    for length in range(len(whole) + 1):
        path = tmp_path / "c.tfrecord"
        path.write_bytes(whole[:length])
        if length in ends:
            assert count_records(path) == ends.index(length)
        else:
            with pytest.raises(BadTFRecord):
                count_records(path)


def test_the_error_names_file_and_byte(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.tfrecord", [b"good"])
    path.write_bytes(path.read_bytes() + b"rubbish that is long enough")
    with pytest.raises(BadTFRecord, match=r"a.tfrecord: no TFRecord begins at byte 20"):
        count_records(path)


def test_a_compressed_file_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"\x1f\x8b" + bytes(40))
    with pytest.raises(BadTFRecord, match="compressed files are not supported"):
        count_records(path)


def test_a_wild_length_asks_for_no_memory(tmp_path: Path) -> None:
    file = io.BytesIO()
    write_record(file, b"x")
    from dataset_handlers.crc32c import masked_crc32c

    length = (2**60).to_bytes(8, "little")
    path = tmp_path / "a.tfrecord"
    path.write_bytes(length + masked_crc32c(length).to_bytes(4, "little") + b"x" * 20)
    with pytest.raises(BadTFRecord, match="ends inside a record at byte 0"):
        count_records(path)
