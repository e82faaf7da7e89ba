"""Records are found as they were written, by this project and by TensorFlow alike."""

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from darkroom_client import DataLoss
from darkroom_client.tfrecord import read_records
from dataset_handlers.tfrecord import write_record


@given(st.lists(st.binary(max_size=200), max_size=20), st.integers(0, 20), st.integers(0, 20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
def test_any_run_of_the_records_comes_back(tmp_path, records, start, stop):
    file = io.BytesIO()
    for record in records:
        write_record(file, record)
    path = tmp_path / "x.tfrecord"
    path.write_bytes(file.getvalue())
    assert [bytes(record) for record in read_records(path)] == records
    assert [bytes(record) for record in read_records(path, start, stop)] == records[start:stop]


@pytest.mark.parametrize("cut", [1, 5, 11, 20])
def test_a_file_that_ends_inside_a_record_is_data_loss(tmp_path, cut):
    file = io.BytesIO()
    write_record(file, b"0123456789")
    path = tmp_path / "x.tfrecord"
    path.write_bytes(file.getvalue()[:cut])
    with pytest.raises(DataLoss, match="ends inside the record at byte 0"):
        list(read_records(path))
