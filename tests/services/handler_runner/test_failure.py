"""A failure as the proto carries it."""

from __future__ import annotations

import pytest

from darkroom.dataset.v1 import dataset_pb2
from handler_runner.failure import FailureClass, WorkFailed


@pytest.mark.parametrize("failure_class", FailureClass)
def test_every_class_is_one_of_the_proto(failure_class):
    failure = WorkFailed(failure_class, "why").to_proto()
    assert dataset_pb2.FailureClass.Name(failure.failure_class) == f"FAILURE_CLASS_{failure_class}"


def test_a_long_traceback_keeps_its_end():
    assert WorkFailed(FailureClass.HANDLER_ERROR, "m", detail="x" * 10**6 + "the end").to_proto().detail.endswith("end")


def test_only_what_the_key_decides_would_come_again():
    again = {each for each in FailureClass if WorkFailed(each, "m").to_proto().deterministic}
    assert again == {"BAD_CONFIG", "HANDLER_ERROR", "BAD_RAW_RECORD", "LIMIT_EXCEEDED"}
