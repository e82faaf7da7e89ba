"""Usage between messages and values."""

from __future__ import annotations

from datetime import timedelta

from darkroom.dataset.v1 import dataset_pb2 as pb
from dataset_registry.usage import FOR_EVER, Usage, UsageBy
from service_kit.errors import InvalidArgument

_BY = {
    pb.USAGE_BY_UNSPECIFIED: UsageBy.DATASET,
    pb.USAGE_BY_DATASET: UsageBy.DATASET,
    pb.USAGE_BY_NAME: UsageBy.NAME,
    pb.USAGE_BY_REQUESTER: UsageBy.REQUESTER,
}


def asked_usage(request: pb.GetUsageRequest) -> tuple[UsageBy, float, float]:
    """Return what a line stands for, since and until. Raises `InvalidArgument`."""
    if request.by not in _BY:
        raise InvalidArgument.of([("by", f"must be a known UsageBy, not {request.by}")])
    since, until = 0.0, FOR_EVER
    if request.HasField("since_time"):
        since = request.since_time.seconds + request.since_time.nanos / 1e9
    if request.HasField("until_time"):
        until = request.until_time.seconds + request.until_time.nanos / 1e9
    if until < since:
        raise InvalidArgument.of([("until_time", "lies before since_time")])
    return _BY[request.by], since, until


def usage_message(usage: Usage) -> pb.Usage:
    """Return one line's message."""
    message = pb.Usage(
        group=usage.group,
        dataset_name=usage.dataset_name,
        request_count=usage.request_count,
        hit_count=usage.hit_count,
        joined_count=usage.joined_count,
        build_count=usage.build_count,
        download_count=usage.download_count,
        download_bytes=usage.download_bytes,
    )
    message.build_time.FromTimedelta(timedelta(seconds=usage.build_s))
    return message
