"""Many clients in one process, by the bare generated stubs.

python crowd.py SERVER PLAN [CLIENTS_PER_CONNECTION]

PLAN is a JSON list of [dataset_name, config_json, client count], or of [..., "KEY"] for clients who go when they know
the dataset's key. Each client has a connection of its own unless told otherwise.

Says `ready` once all are connected, and reads the time at which they are to ask. Each client asks at about that time,
watches to the end, and becomes a line: asked_s, key, state, digest.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from darkroom.dataset.v1 import dataset_pb2, dataset_pb2_grpc

# All ask within this long.
SPREAD_S = 0.5
CALL_TIMEOUT_S = 120.0


async def ask_and_watch(
    channel: grpc.aio.Channel, ask_s: float, dataset_name: str, config_json: str, until: str
) -> tuple[float, str, str, str]:
    stub = dataset_pb2_grpc.DatasetServiceStub(channel)
    await asyncio.sleep(ask_s - time.time())
    asked_s = time.time()
    wanted = dataset_pb2.RequestDatasetRequest(
        dataset_name=dataset_name, handler_version="latest", config_json=config_json, request_id=str(uuid.uuid4())
    )
    made = await answered(lambda: stub.RequestDataset(wanted, timeout=CALL_TIMEOUT_S))
    watch = stub.WatchRequest(dataset_pb2.WatchRequestRequest(name=made.request.name))
    async for response in watch:
        request = response.request
        if until == "KEY" and request.key:
            watch.cancel()
            break
    state = dataset_pb2.RequestState.Name(request.state).removeprefix("REQUEST_STATE_")
    return asked_s, request.key, state, request.dataset.digest


async def answered(call: Callable[[], Awaitable[Any]]) -> Any:
    """Return the answer of a call, made again when the server was full and says for how long."""
    while True:
        try:
            return await call()
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise
            delay_s = retry_delay_s(error)
        await asyncio.sleep(delay_s)


def retry_delay_s(error: grpc.aio.AioRpcError) -> float:
    """Return when to come again, as the server says."""
    retry = error_details_pb2.RetryInfo()
    told = [detail for detail in rpc_status.from_call(error).details if detail.Unpack(retry)]
    assert told, error
    return float(retry.retry_delay.ToMilliseconds()) / 1000


async def main(server: str, plan: list[tuple[str, str, int, str]], clients_per_connection: int) -> None:
    wanted = [(name, config, *(until or ["END"])) for name, config, count, *until in plan for _ in range(count)]
    # A pool of its own gives each channel its own connection, as clients on other machines have.
    options = [("grpc.use_local_subchannel_pool", 1)]
    channels = [
        grpc.aio.insecure_channel(server, options=options) for _ in range(0, len(wanted), clients_per_connection)
    ]
    await asyncio.gather(*(channel.channel_ready() for channel in channels))
    print("ready", flush=True)
    begin_s = float(await asyncio.to_thread(sys.stdin.readline))
    clients = (
        ask_and_watch(channels[number // clients_per_connection], begin_s + SPREAD_S * number / len(wanted), *each)
        for number, each in enumerate(wanted)
    )
    for line in await asyncio.gather(*clients):
        print(json.dumps(line), flush=True)
    await asyncio.gather(*(channel.close() for channel in channels))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1))
