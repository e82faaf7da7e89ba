"""Lines that break and registries that are replaced: whoever watches goes on where they were, and no call fails."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from darkroom_client import AsyncClient, Client, RequestSnapshot
from darkroom_client.event_loop import shared_loop

from .process import Process, until
from .relay import Relay
from .replicas import ReplicatedHouse, open_replicas

CUTS = 200
STREAMS = 4
# About what the first snapshots of the streams and what comes before them take on the line.
ATTACHED_BYTES = 1500
WATCHERS, CLIENTS = 200, 10
# Where others load the machine, bounds of time are asserted four times as wide as they are promised.
LOADED = 4
REATTACHED_S = 5.0
CALLERS = 6
TINY = {"seed": 7, "delay_s": 0}
# What a server gives to calls in flight, and a second.
EXIT_S = 5.0 + 1.0


@pytest.fixture(scope="module")
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicatedHouse]:
    yield from open_replicas("postgresql", request, tmp_path_factory)


def test_a_stream_that_is_cut_two_hundred_times_goes_back_repeats_and_misses_nothing(house: ReplicatedHouse) -> None:
    relays = [Relay(server) for server in (house.server, house.other_server)]
    with Client(",".join(each.server for each in relays), house.folder / "cache-cut", "tester@cut") as client:
        # Longer than the cuts take.
        request = client.request_dataset("town", "latest", {"seed": 1, "delay_s": 1})
        seen: list[list[RequestSnapshot]] = [[] for _ in range(STREAMS)]
        watching = [
            threading.Thread(target=lambda each=each: each.extend(client.get_request(request.name).watch()))
            for each in seen
        ]
        for thread in watching:
            thread.start()
        for _ in range(CUTS):
            before = passed_bytes(relays)
            until(lambda before=before: passed_bytes(relays) - before > ATTACHED_BYTES, "the streams", pause_s=0.01)
            for relay in relays:
                relay.cut()
        # The end comes while nobody is attached.
        house.client.get_request(request.name).cancel()
        for thread in watching:
            thread.join(180)
    for relay in relays:
        relay.close()
    for snapshots in seen:
        assert len(snapshots) > 2
        for before, after in pairwise(snapshots):
            assert after != before
            assert after.revision >= before.revision
            assert after.final or after.shards_done >= before.shards_done
        assert [each.state for each in snapshots if each.final] == ["CANCELLED"]


def test_registries_that_are_replaced_one_after_the_other_lose_no_watcher(house: ReplicatedHouse) -> None:
    # Nobody works, so that all watch until it is told.
    house.runner.stop()
    request = house.client.request_dataset("street", "latest", {"seed": 2, "delay_s": 0})
    ends = shared_loop().run(watched_while_replaced(house, request.name))
    [dataset] = house.client.list_datasets("street")
    assert {(each.state, each.key) for each in ends} == {("READY", dataset.key)}
    assert len(ends) == WATCHERS


def all_watch(house: ReplicatedHouse, registry: Process) -> None:
    until(lambda: house.watchers(registry) >= WATCHERS, f"everybody at the {registry.name}", 60.0)


async def watched_while_replaced(house: ReplicatedHouse, name: str) -> Sequence[RequestSnapshot]:
    """Have many watch a request while one registry is replaced in order and the other one killed."""
    clients = [AsyncClient(house.both, house.folder / "cache-many", "tester@many") for _ in range(CLIENTS)]

    async def watch(client: AsyncClient) -> RequestSnapshot:
        request = await client.get_request(name)
        return [snapshot async for snapshot in request.watch()][-1]

    watching = [asyncio.create_task(watch(clients[number % CLIENTS])) for number in range(WATCHERS)]
    try:
        await asyncio.to_thread(all_watch, house, house.registry)
        for leaves, stays in (house.registries, house.registries[::-1]):
            begun_s = time.monotonic()
            ending = asyncio.create_task(asyncio.to_thread(leaves.stop if leaves is house.registry else leaves.kill))
            await asyncio.to_thread(all_watch, house, stays)
            took_s = time.monotonic() - begun_s
            print(f"{WATCHERS} watchers of the {leaves.name} were at the {stays.name} after {took_s:.2f} s")
            assert took_s < LOADED * REATTACHED_S
            await ending
            await asyncio.to_thread(house.start_again, leaves)
        assert not any(task.done() for task in watching)
        house.start_runner()
        return await asyncio.gather(*watching)
    finally:
        for task in watching:
            task.cancel()
        for client in clients:
            await client.close()


def test_a_registry_that_is_asked_to_end_under_load_fails_no_call(house: ReplicatedHouse) -> None:
    house.client.request_dataset("one", "latest", TINY).wait(180)
    over, called = threading.Event(), threading.Semaphore(0)
    # Some know both, some one of them alone, which they wait for.
    servers = [house.both, house.server, house.other_server] * (CALLERS // 3)
    with ThreadPoolExecutor(CALLERS + len(house.registries)) as pool:
        calling = [pool.submit(call_until, over, called, server, house) for server in servers]
        try:
            # Who has never been answered takes a registry that is away for none at all.
            assert all(called.acquire(timeout=60) for _ in servers)
            for registry, server in zip(house.registries, (house.server, house.other_server), strict=True):
                health: list[str] = []
                hearing = pool.submit(hear_health, server, health)
                until(lambda health=health: health, "the health")
                begun_s = time.monotonic()
                assert registry.stop() == 0
                took_s = time.monotonic() - begun_s
                print(f"the {registry.name} ended after {took_s:.2f} s")
                assert took_s < LOADED * EXIT_S
                hearing.result(30)
                assert health == ["SERVING", "NOT_SERVING"]
                house.start_again(registry)
        finally:
            over.set()
        made = [each.result(90) for each in calling]
    print(f"{sum(made)} calls, none failed")
    assert min(made) > 0


def call_until(over: threading.Event, called: threading.Semaphore, server: str, house: ReplicatedHouse) -> int:
    """Call without a pause, say so once, and return how many calls were answered; one that fails is raised."""
    made = 0
    with Client(server, house.folder / "cache-calls", "tester@calls") as client:
        while not over.is_set():
            request = client.request_dataset("one", "latest", TINY)
            assert request.snapshot.cached
            assert client.get_dataset(request.key).state == "READY"
            made += 2
            if made == 2:
                called.release()
    return made


def hear_health(server: str, health: list[str]) -> None:
    """Note what a server says of its health until it says that it does not serve; raises when it is gone before."""
    with grpc.insecure_channel(server) as channel:
        for response in health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest()):
            health.append(health_pb2.HealthCheckResponse.ServingStatus.Name(response.status))
            if health[-1] == "NOT_SERVING":
                return


def passed_bytes(relays: Sequence[Relay]) -> int:
    return sum(each.passed_bytes for each in relays)
