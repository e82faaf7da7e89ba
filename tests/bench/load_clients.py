"""The clients of the load bench, each kind a process of its own, so that they and the registry share no lock.

python load_clients.py watch SERVER CHANNELS NAME...    watches each name on one of the channels
python load_clients.py probe SERVER NAME                asks for one dataset again and again
python load_clients.py burst SERVER NAME COUNT          asks COUNT times at once, and comes again when told to
python load_clients.py flood SERVER CALL RATE SECONDS   begins so many calls a second, whatever becomes of them
python load_clients.py loop SERVER CALL COUNT SECONDS   COUNT callers, each with one call at a time

Each says `ready` when it is, and a line of JSON at its end; the first two end when standard input does. CALL is `hit`,
a request that is answered at once, or the name of a dataset to ask for.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from darkroom.dataset.v1 import dataset_pb2 as pb
from darkroom.dataset.v1 import dataset_pb2_grpc
from darkroom_client.connection import Connection

# How long a client waits for an answer: the deadline of the SDK's calls.
DEADLINE_S = 60.0
PROBE_PAUSE_S = 0.02
LOST_PAUSE_S = 0.5

Call = Callable[[], Awaitable[Any]]


async def watch(server: str, channels: str, *names: str) -> Any:
    """Return, for each count of finished shards, when each watcher saw it; lost ones come again, as the SDK does."""
    opened = [open_channel(server) for _ in range(int(channels))]
    stubs = [dataset_pb2_grpc.DatasetServiceStub(each) for each in opened]
    seen: dict[int, list[float]] = {}
    lost: list[str] = []
    begun = set()
    all_begun = asyncio.Event()

    async def one(number: int, name: str) -> None:
        stub = stubs[number % len(stubs)]
        request = name.startswith("requests/")
        while True:
            call = (
                stub.WatchRequest(pb.WatchRequestRequest(name=name))
                if request
                else stub.WatchDataset(pb.WatchDatasetRequest(name=name))
            )
            try:
                while (message := await call.read()) is not grpc.aio.EOF:
                    progress = message.request.progress if request else message.dataset.progress
                    seen.setdefault(progress.shards_done, []).append(time.monotonic())
                    begun.add(number)
                    if len(begun) == len(names):
                        all_begun.set()
            except grpc.aio.AioRpcError as error:
                lost.append(f"{error.code().name}: {error.details()}")
                await asyncio.sleep(LOST_PAUSE_S)

    watchers = [asyncio.create_task(one(number, name)) for number, name in enumerate(names)]
    await all_begun.wait()
    await until_told()
    for each in watchers:
        each.cancel()
    await asyncio.gather(*watchers, return_exceptions=True)
    return {"seen": seen, "lost": lost}


async def probe(server: str, name: str) -> Any:
    """Return (when, milliseconds) of each call."""
    stub = dataset_pb2_grpc.DatasetServiceStub(open_channel(server))
    times: list[tuple[float, float]] = []

    async def ask() -> None:
        while True:
            began = time.monotonic()
            await stub.GetDataset(pb.GetDatasetRequest(name=name), timeout=DEADLINE_S)
            times.append((began, (time.monotonic() - began) * 1000))
            await asyncio.sleep(PROBE_PAUSE_S)

    asking = asyncio.create_task(ask())
    await until_told()
    asking.cancel()
    return times


async def burst(server: str, name: str, count: str) -> Any:
    """Return how calls ended that were begun together: by bare stubs, then by the SDK, which comes again."""
    stub = dataset_pb2_grpc.DatasetServiceStub(open_channel(server))
    connection = Connection(server)
    await connection.contact()
    await until_told(lines=1)
    request = pb.GetDatasetRequest(name=name)
    bare = await asyncio.gather(
        *(ended(lambda: stub.GetDataset(request, timeout=DEADLINE_S)) for _ in range(int(count)))
    )
    began = time.monotonic()
    answers = await asyncio.gather(
        *(connection.call("GetDataset", request) for _ in range(int(count))), return_exceptions=True
    )
    errors = [repr(each) for each in answers if isinstance(each, BaseException)]
    return {"bare": Counter(code for code, _ in bare), "errors": errors[:3], "seconds": time.monotonic() - began}


async def flood(server: str, call: str, rate: str, seconds: str) -> Any:
    """Return (status, milliseconds) of every call."""
    make = calls(server, call)
    await until_told(lines=1)
    began = time.monotonic()
    tasks: list[asyncio.Task[tuple[str, float]]] = []
    while (passed_s := time.monotonic() - began) < float(seconds):
        # As many as are due by now, so that a late turn is made up for.
        tasks += [asyncio.create_task(ended(make)) for _ in range(int(passed_s * float(rate)) - len(tasks))]
        await asyncio.sleep(0.005)
    return await asyncio.gather(*tasks)


async def loop(server: str, call: str, count: str, seconds: str) -> Any:
    """Return (status, milliseconds) of every call."""
    make = calls(server, call)
    await until_told(lines=1)
    until_s = time.monotonic() + float(seconds)

    async def one() -> list[tuple[str, float]]:
        found = []
        while time.monotonic() < until_s:
            found.append(await ended(make))
        return found

    return [each for found in await asyncio.gather(*(one() for _ in range(int(count)))) for each in found]


def calls(server: str, call: str) -> Call:
    """Return what makes one call of the kind."""
    stubs = [dataset_pb2_grpc.DatasetServiceStub(open_channel(server)) for _ in range(4)]
    number = 0

    def make() -> Awaitable[Any]:
        nonlocal number
        number += 1
        stub = stubs[number % len(stubs)]
        if call == "hit":
            asked = pb.RequestDatasetRequest(dataset_name="street", handler_version="latest", config_json='{"seed": 0}')
            return stub.RequestDataset(asked, timeout=DEADLINE_S)
        return stub.GetDataset(pb.GetDatasetRequest(name=call), timeout=DEADLINE_S)

    return make


async def ended(make: Call) -> tuple[str, float]:
    """Return how a call ended, and after how many milliseconds; a refusal without a time to return is named so."""
    began = time.monotonic()
    try:
        await make()
        code = "OK"
    except grpc.aio.AioRpcError as error:
        code = error.code().name
        if code == "RESOURCE_EXHAUSTED" and not tells_when(error):
            code = "RESOURCE_EXHAUSTED without RetryInfo"
    return code, (time.monotonic() - began) * 1000


def tells_when(error: grpc.aio.AioRpcError) -> bool:
    """Whether a refusal says when to come again."""
    status = rpc_status.from_call(error)
    return status is not None and any(each.Is(error_details_pb2.RetryInfo.DESCRIPTOR) for each in status.details)


def open_channel(server: str) -> grpc.aio.Channel:
    """Return a channel with a connection of its own, as clients on other machines have."""
    return grpc.aio.insecure_channel(server, options=[("grpc.use_local_subchannel_pool", 1)])


async def until_told(lines: int = 0) -> None:
    """Say that all is ready, and return after so many lines of standard input, or (0) at its end."""
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline if lines else sys.stdin.read)


def main(arguments: Sequence[str]) -> None:
    """Run one kind of client, and print what it found."""
    kind, *rest = arguments
    print(
        json.dumps(
            asyncio.run({"watch": watch, "probe": probe, "burst": burst, "flood": flood, "loop": loop}[kind](*rest))
        )
    )


if __name__ == "__main__":
    main(sys.argv[1:])
