"""Many clients in one process, each with a connection of its own, by the bare generated stubs.

python crowd.py SERVER PLAN    PLAN is a JSON list of [dataset_name, config_json, client count]

Says `ready` once all are connected, and reads the time at which they are to ask. Each client asks at about that time,
watches to the end, and becomes a line: asked_s, key, state, digest.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import grpc

from darkroom.dataset.v1 import dataset_pb2, dataset_pb2_grpc

# All ask within this long.
SPREAD_S = 0.5


async def ask_and_watch(
    channel: grpc.aio.Channel, ask_s: float, dataset_name: str, config_json: str
) -> tuple[float, str, str, str]:
    async with channel:
        stub = dataset_pb2_grpc.DatasetServiceStub(channel)
        await asyncio.sleep(ask_s - time.time())
        asked_s = time.time()
        made = await stub.RequestDataset(
            dataset_pb2.RequestDatasetRequest(
                dataset_name=dataset_name, handler_version="latest", config_json=config_json
            ),
            timeout=60,
        )
        async for response in stub.WatchRequest(dataset_pb2.WatchRequestRequest(name=made.request.name)):
            request = response.request
        state = dataset_pb2.RequestState.Name(request.state).removeprefix("REQUEST_STATE_")
        return asked_s, request.key, state, request.dataset.digest


async def main(server: str, plan: list[tuple[str, str, int]]) -> None:
    wanted = [(name, config) for name, config, count in plan for _ in range(count)]
    # A pool of its own gives each client its own connection, as clients on other machines have.
    options = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.aio.insecure_channel(server, options=options) for _ in wanted]
    await asyncio.gather(*(channel.channel_ready() for channel in channels))
    print("ready", flush=True)
    begin_s = float(await asyncio.to_thread(sys.stdin.readline))
    clients = (
        ask_and_watch(channel, begin_s + SPREAD_S * number / len(wanted), *each)
        for number, (channel, each) in enumerate(zip(channels, wanted, strict=True))
    )
    for line in await asyncio.gather(*clients):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
