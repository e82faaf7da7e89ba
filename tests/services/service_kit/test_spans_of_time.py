from __future__ import annotations

import pytest

from darkroom.dataset.v1 import dataset_pb2
from darkroom.handler.v1 import handler_pb2
from service_kit.errors import InvalidArgument
from service_kit.spans_of_time import check_times

LIVE = dataset_pb2.RequestDatasetRequest()
LIVE.time_to_live.seconds = 3600
BEATS = handler_pb2.HeartbeatRequest()
BEATS.progress.eta.FromMilliseconds(1500)


@pytest.mark.parametrize("message", [dataset_pb2.RequestDatasetRequest(), LIVE, BEATS])
def test_a_span_that_is_one_passes_and_so_does_none(message) -> None:
    check_times(message)


@pytest.mark.parametrize(("seconds", "nanos"), [(2**62, 0), (-(2**63), 0), (0, 10**9), (0, -(10**9)), (1, -1), (-1, 1)])
def test_what_is_no_span_is_refused_by_its_path(seconds: int, nanos: int) -> None:
    request = handler_pb2.HeartbeatRequest()
    request.progress.eta.seconds, request.progress.eta.nanos = seconds, nanos
    with pytest.raises(InvalidArgument) as refused:
        check_times(request)
    assert [field for field, _ in refused.value.violations] == ["progress.eta"]


@pytest.mark.parametrize(("seconds", "nanos"), [(253_402_300_800, 0), (-62_135_596_801, 0), (0, -1)])
def test_what_is_no_moment_is_refused(seconds: int, nanos: int) -> None:
    request = dataset_pb2.GetUsageRequest()
    request.until_time.seconds, request.until_time.nanos = seconds, nanos
    with pytest.raises(InvalidArgument, match="until_time: "):
        check_times(request)


def test_each_of_many_is_looked_at() -> None:
    response = dataset_pb2.ListRequestsResponse(requests=[dataset_pb2.Request() for _ in range(3)])
    response.requests[2].create_time.nanos = -1
    with pytest.raises(InvalidArgument, match=r"requests\.create_time"):
        check_times(response)
