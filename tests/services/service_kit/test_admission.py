"""Calls beyond their room are turned away at once with a time to come again, and no class crowds out another."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from darkroom.dataset.v1 import dataset_pb2 as pb
from darkroom.dataset.v1 import dataset_pb2_grpc
from darkroom_client.connection import Connection
from service_kit.admission import LONGEST_S, SHORTEST_S, Room
from service_kit.call_classes import CLASSES, PLACES, CallClass
from service_kit.scopes import REQUIRED
from service_kit.serving import Serving

PATIENCE_S = 60.0


class Servicer(dataset_pb2_grpc.DatasetServiceServicer):  # type: ignore[misc]
    """Answers when it may."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.inside = self.most = 0

    async def GetDataset(self, request, context):  # type: ignore[no-untyped-def]
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await self.may_answer.wait()
            if request.name == "bad":
                raise ValueError("a bug")
        finally:
            self.inside -= 1
        return pb.GetDatasetResponse()

    async def WatchDataset(self, request, context):  # type: ignore[no-untyped-def]
        yield pb.WatchDatasetResponse()
        await self.may_answer.wait()


@asynccontextmanager
async def served(**places: int) -> AsyncIterator[tuple[Servicer, str, dataset_pb2_grpc.DatasetServiceStub]]:
    servicer = Servicer()
    rooms: Mapping[CallClass, int] = {CallClass(name): count for name, count in places.items()}
    serving = Serving(
        "localhost:0",
        [],
        lambda server: dataset_pb2_grpc.add_DatasetServiceServicer_to_server(servicer, server),
        places=rooms,
    )
    await serving.start()
    address = f"localhost:{serving.port}"
    async with grpc.aio.insecure_channel(address) as channel:
        yield servicer, address, dataset_pb2_grpc.DatasetServiceStub(channel)
    await serving.stop(0.1)


async def until(servicer: Servicer, inside: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while servicer.inside != inside:
            await asyncio.sleep(0.01)


async def code_of(call: grpc.aio.Call) -> grpc.StatusCode:
    with suppress(grpc.aio.AioRpcError):
        await call
    return await call.code()


async def refusal(call: grpc.aio.Call) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


def test_the_table_has_each_rpc_that_there_is_and_no_other() -> None:
    assert sorted(CLASSES) == sorted(REQUIRED)


def test_each_class_has_its_places() -> None:
    assert set(PLACES) == set(CallClass) == set(CLASSES.values())


async def test_a_call_beyond_the_room_is_told_at_once_when_to_come_again() -> None:
    async with served(read=2) as (servicer, _, stub):
        inside = [asyncio.ensure_future(stub.GetDataset(pb.GetDatasetRequest())) for _ in range(2)]
        await until(servicer, 2)
        error = await refusal(stub.GetDataset(pb.GetDatasetRequest(), timeout=PATIENCE_S))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        found = rpc_status.from_call(error).details
        assert found[0].Unpack(info)
        assert found[1].Unpack(retry)
        assert (info.reason, info.metadata["class"]) == ("OVERLOADED", "read")
        assert SHORTEST_S / 2 <= retry.retry_delay.ToTimedelta().total_seconds() <= SHORTEST_S * 3
        assert servicer.inside == 2
        servicer.may_answer.set()
        await asyncio.gather(*inside)
        await stub.GetDataset(pb.GetDatasetRequest())


async def test_a_crowd_that_comes_at_once_never_fills_more_than_the_room() -> None:
    async with served(read=5) as (servicer, _, stub):
        calls = [asyncio.ensure_future(code_of(stub.GetDataset(pb.GetDatasetRequest()))) for _ in range(200)]
        async with asyncio.timeout(PATIENCE_S):
            while sum(each.done() for each in calls) < 195:
                await asyncio.sleep(0.01)
        servicer.may_answer.set()
        ends = Counter(await asyncio.gather(*calls))
        assert ends == {grpc.StatusCode.OK: 5, grpc.StatusCode.RESOURCE_EXHAUSTED: 195}
        assert servicer.most == 5


async def test_watchers_that_fill_their_room_leave_that_of_the_others_empty() -> None:
    async with served(read=1, watch=3) as (servicer, _, stub):
        watches = [stub.WatchDataset(pb.WatchDatasetRequest()) for _ in range(3)]
        for watch in watches:
            await watch.read()
        one_more = stub.WatchDataset(pb.WatchDatasetRequest())
        error = await refusal(one_more.read())
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        servicer.may_answer.set()
        await stub.GetDataset(pb.GetDatasetRequest(), timeout=PATIENCE_S)


@pytest.mark.parametrize("end", ["cancel", "deadline", "bug"])
async def test_a_place_is_free_again_however_a_call_ends(end: str) -> None:
    async with served(read=1) as (servicer, _, stub):
        for _ in range(3):
            name, timeout_s = ("bad" if end == "bug" else ""), (0.5 if end == "deadline" else PATIENCE_S)
            call = stub.GetDataset(pb.GetDatasetRequest(name=name), timeout=timeout_s)
            await until(servicer, 1)
            if end == "cancel":
                call.cancel()
            if end == "bug":
                servicer.may_answer.set()
            with suppress(grpc.aio.AioRpcError, asyncio.CancelledError):
                await call
            assert await call.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED
            await until(servicer, 0)
            servicer.may_answer.clear()


async def test_the_client_comes_again_and_all_are_answered() -> None:
    async with served(read=2) as (servicer, address, _):
        connection = Connection(address)
        calls = [asyncio.ensure_future(connection.call("GetDataset", pb.GetDatasetRequest())) for _ in range(6)]
        await until(servicer, 2)
        servicer.may_answer.set()
        assert len(await asyncio.wait_for(asyncio.gather(*calls), PATIENCE_S)) == 6
        assert servicer.most == 2
        await connection.close()


def test_the_more_are_turned_away_the_later_they_come_again() -> None:
    now_s = 1000.0
    room = Room(CallClass.READ, 1, lambda: now_s)

    def pauses(refused: int) -> list[float]:
        return [room.refusal().retry_after_s or 0.0 for _ in range(refused)]

    calm = pauses(20)
    assert max(calm) <= SHORTEST_S * 1.5
    for _ in range(20):
        now_s += 1.0
        crowded = pauses(100)
    assert max(crowded) > LONGEST_S / 2
    assert max(crowded) <= LONGEST_S * 1.5
    # Not all at once.
    assert max(crowded) - min(crowded) > LONGEST_S / 4
    now_s += 60.0
    assert max(pauses(20)) <= SHORTEST_S * 1.5


def test_the_promises_name_each_room() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "promises.md").read_text()
    told = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", text, re.MULTILINE))
    assert told == {room.value: f"{count:,}" for room, count in PLACES.items()}
