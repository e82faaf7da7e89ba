"""Usage is what really happened: requests, a shared build, a hit, and downloads counted once."""

from __future__ import annotations

import uuid
from typing import Any

import grpc
import pytest

from darkroom.dataset.v1 import dataset_pb2 as pb
from dataset_registry.listing import token

from .conftest import House


async def ask(house: House, who: str) -> str:
    view = await house.registry.request_dataset("street", "latest", "{}", requester=who)
    return view.request.id


async def test_a_build_a_joined_request_a_hit_and_a_download_are_counted_where_they_belong(
    house: House, stub: Any
) -> None:
    await house.described()
    first = await ask(house, "anna@a")
    await house.walked()
    build = await house.claim()
    assert (build.dataset_name, build.requester) == ("street", "anna@a")
    await ask(house, "bob@b")
    await house.publish(build)
    async for view in house.registry.watch_request(f"requests/{first}"):
        assert view.value.request.state != "FAILED"
    await ask(house, "bob@b")
    report = pb.ReportDownloadRequest(
        name=f"datasets/{build.subject}", download_id=str(uuid.uuid4()), size_bytes=10, requester="eva@c"
    )
    for _ in range(2):
        await stub.ReportDownload(report)
    by_key = await stub.GetUsage(pb.GetUsageRequest())
    [line] = by_key.usages
    assert (line.group, line.dataset_name) == (build.subject, "street")
    assert (line.request_count, line.hit_count, line.joined_count, line.build_count) == (3, 1, 1, 1)
    assert (line.download_count, line.download_bytes) == (1, 10)
    assert 0 < line.build_time.ToNanoseconds() < 600 * 10**9
    users = await stub.GetUsage(pb.GetUsageRequest(by=pb.USAGE_BY_REQUESTER))
    found = {each.group: (each.request_count, each.build_count, each.download_count) for each in users.usages}
    assert found == {"anna@a": (1, 1, 0), "bob@b": (2, 0, 0), "eva@c": (0, 0, 1)}
    pages = [await stub.GetUsage(pb.GetUsageRequest(by=pb.USAGE_BY_REQUESTER, page_size=2))]
    again = pb.GetUsageRequest(by=pb.USAGE_BY_REQUESTER, page_size=2, page_token=pages[0].next_page_token)
    pages.append(await stub.GetUsage(again))
    assert [each.group for page in pages for each in page.usages] == ["bob@b", "anna@a", "eva@c"]
    assert pages[1].next_page_token == ""


@pytest.mark.parametrize(
    "request_",
    [
        pb.GetUsageRequest(by=99),
        pb.GetUsageRequest(since_time={"seconds": 20}, until_time={"seconds": 10}),
        pb.GetUsageRequest(page_token="WyJhIl0="),
        pb.GetUsageRequest(page_token="WzEsMl0="),
        pb.GetUsageRequest(page_token=token([10**30, "a"])),
        pb.GetUsageRequest(page_token=token([1, "a\0"])),
        pb.GetUsageRequest(page_size=1001),
    ],
    ids=["by", "time", "short token", "other token", "large number", "NUL", "page size"],
)
async def test_a_wrong_question_is_refused(stub: Any, request_: pb.GetUsageRequest) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.GetUsage(request_)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
