"""A registry that is told to end, with a crowd on it, and started again: nobody sees an error, and all watch again."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from darkroom.dataset.v1 import dataset_pb2 as pb
from darkroom_client.connection import Connection

from .house import House

WATCHERS, CALLERS, CONNECTIONS = 300, 20, 10
# Promised are 6 s, the grace for running calls and a second; the machine has other things to do.
EXIT_S = 30.0
PATIENCE_S = 150.0
# Promised are 5 s; in tests the clients share two cores with everything else.
ATTACHED_AGAIN_S = 30.0


def test_a_registry_that_ends_and_comes_back_is_missed_by_nobody(tmp_path, photos):
    house = House(tmp_path / "house", photos)
    try:
        house.start()
        house.client.define("street", "test/slow", {"photos": "street"})
        request = house.client.request_dataset("street", "latest", {"seed": 1, "delay_s": 1.0})
        asyncio.run(crowd(house, request.name))
    finally:
        house.end()


async def crowd(house: House, name: str) -> None:
    connections = [Connection(house.server) for _ in range(CONNECTIONS)]
    seen = [0] * WATCHERS
    answered = [0] * CALLERS

    async def watch(number: int) -> None:
        stream = connections[number % CONNECTIONS].stream(
            "WatchRequest",
            lambda: pb.WatchRequestRequest(name=name),
            lambda response: response.request.HasField("finish_time"),
        )
        async for _ in stream:
            seen[number] += 1

    async def call(number: int) -> None:
        while True:
            await connections[number % CONNECTIONS].call("GetRequest", pb.GetRequestRequest(name=name))
            answered[number] += 1
            await asyncio.sleep(0.02)

    tasks = [asyncio.create_task(watch(number)) for number in range(WATCHERS)]
    tasks += [asyncio.create_task(call(number)) for number in range(CALLERS)]
    async with grpc.aio.insecure_channel(house.server) as channel:
        health = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        statuses = statuses_of(health)
        assert await anext(statuses) == health_pb2.HealthCheckResponse.SERVING
        await until(lambda: all(seen) and all(answered), tasks)
        told_s = time.monotonic()
        house.registry.send(signal.SIGTERM)
        # Before anything is closed, whoever routes calls is told to send none.
        assert await asyncio.wait_for(anext(statuses), PATIENCE_S) == health_pb2.HealthCheckResponse.NOT_SERVING
        health.cancel()
    assert await asyncio.to_thread(house.registry.wait, PATIENCE_S) == 0
    assert time.monotonic() - told_s < EXIT_S
    before, calls_before = list(seen), list(answered)
    house.registry.start()
    await until(lambda: house.registry.events("registry_ready")[1:], tasks)
    ready_s = time.monotonic()
    await until(lambda: all(now > then for now, then in zip(seen, before, strict=True)), tasks)
    await until(lambda: all(now > then for now, then in zip(answered, calls_before, strict=True)), tasks)
    print(f"all {WATCHERS} watch again {time.monotonic() - ready_s:.2f} s after the registry was back")
    assert time.monotonic() - ready_s < ATTACHED_AGAIN_S
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for connection in connections:
        await connection.close()


async def statuses_of(call: grpc.aio.UnaryStreamCall) -> AsyncIterator[int]:
    async for response in call:
        yield response.status


async def until(condition: Callable[[], object], tasks: list[asyncio.Task[None]]) -> None:
    """Wait for the condition; an error that reaches anybody of the crowd is raised at once."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            for task in tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.02)
