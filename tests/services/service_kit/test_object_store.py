"""Names of objects, and what a store's errors mean to a caller far away."""

from __future__ import annotations

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit.errors import DarkroomError, InvalidArgument, status_code
from service_kit.object_store import (
    ObjectMissing,
    ObjectShort,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
    check_object_name,
    check_prefix,
    is_object_name,
)


@given(name=st.text(st.sampled_from("aZ0%._-/\\ \0"), max_size=12) | st.text(max_size=1100))
def test_a_name_is_either_good_or_refused(name: str) -> None:
    if is_object_name(name):
        assert check_object_name(name) == name
    else:
        with pytest.raises(InvalidArgument):
            check_object_name(name)


@given(name=st.from_regex(r"[a%][a.-]{0,4}(/[a%][a.-]{0,4}){0,3}", fullmatch=True), data=st.data())
def test_every_beginning_of_a_name_is_a_prefix(name: str, data: st.DataObject) -> None:
    assert is_object_name(name)
    check_prefix(name[: data.draw(st.integers(0, len(name)))])


@pytest.mark.parametrize(
    ("error", "code", "reason", "retry"),
    [
        (ObjectMissing("a"), grpc.StatusCode.DATA_LOSS, "OBJECT_MISSING", False),
        (ObjectShort("a", 0, 5, 3), grpc.StatusCode.DATA_LOSS, "OBJECT_SHORT", False),
        (StoreUnavailable("away"), grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", True),
        (StoreFull("full"), grpc.StatusCode.RESOURCE_EXHAUSTED, "STORE_FULL", True),
        (StoreRefused("no"), grpc.StatusCode.FAILED_PRECONDITION, "STORE_REFUSED", False),
    ],
)
def test_each_error_has_its_status_its_reason_and_says_whether_to_try_again(
    error: DarkroomError, code: grpc.StatusCode, reason: str, retry: bool
) -> None:
    assert (status_code(error), error.reason, error.retry_after_s is not None) == (code, reason, retry)
