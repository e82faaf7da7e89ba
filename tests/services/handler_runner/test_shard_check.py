"""A shard is checked as data before it is stored."""

from __future__ import annotations

import hashlib
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_handlers.tfrecord import write_record
from handler_runner import shard_check
from handler_runner.shard_check import NotTFRecords, check_shard

records = st.lists(st.binary(max_size=60), max_size=8)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("shards") / "a.tfrecord"


def write(path, contents):
    with path.open("wb") as file:
        for record in contents:
            write_record(file, record)
    return path.read_bytes()


@given(records, st.sampled_from([1, 7, 1 << 20]))
def test_a_good_file_gives_its_facts_at_any_chunk_size(path, contents, chunk_bytes):
    data = write(path, contents)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shard_check, "_CHUNK_BYTES", chunk_bytes)
        facts = check_shard(path)
    assert facts.record_count == len(contents)
    assert facts.size_bytes == len(data)
    assert facts.sha256 == hashlib.sha256(data).hexdigest()
    assert facts.crc32 == zlib.crc32(data)


@settings(max_examples=60)
@given(records.filter(bool), st.data())
def test_any_flipped_bit_is_found(path, contents, data):
    whole = bytearray(write(path, contents))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(whole)
    with pytest.raises(NotTFRecords):
        check_shard(path)


@given(records.filter(bool), st.data())
def test_a_file_that_is_cut_off_is_found(path, contents, data):
    whole = write(path, contents)
    borders = {0}
    for record in contents:
        borders.add(max(borders) + 16 + len(record))
    cut = data.draw(st.integers(1, len(whole)).filter(lambda place: place not in borders))
    path.write_bytes(whole[:cut])
    with pytest.raises(NotTFRecords):
        check_shard(path)


def test_a_file_that_is_something_else_says_where(path):
    path.write_bytes(b"PK\3\4 this is a zip file")
    with pytest.raises(NotTFRecords, match="no TFRecord begins at byte 0"):
        check_shard(path)
