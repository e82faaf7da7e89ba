"""Many clients in one process, each with a connection of its own, by the bare generated stubs.

python crowd.py SERVER BEGIN_S PLAN    PLAN is a JSON list of [dataset_name, config_json, client count]

Each client asks at about BEGIN_S, watches to the end, and becomes a line: asked_s, key, state, digest.
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


async def ask_and_watch(server: str, begin_s: float, dataset_name: str, config_json: str) -> list[object]:
    # A pool of its own gives each client its own connection, as clients on other machines have.
    async with grpc.aio.insecure_channel(server, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        stub = dataset_pb2_grpc.DatasetServiceStub(channel)
        await asyncio.sleep(max(0.0, begin_s - time.time()))
        asked_s = time.time()
        made = await stub.RequestDataset(
            dataset_pb2.RequestDatasetRequest(
                dataset_name=dataset_name, handler_version="latest", config_json=config_json
            ),
            wait_for_ready=True,
            timeout=60,
        )
        async for response in stub.WatchRequest(dataset_pb2.WatchRequestRequest(name=made.request.name)):
            request = response.request
        state = dataset_pb2.RequestState.Name(request.state).removeprefix("REQUEST_STATE_")
        return [asked_s, request.key, state, request.dataset.digest]


async def main(server: str, begin_s: float, plan: list[list]) -> None:
    wanted = [(name, config) for name, config, count in plan for _ in range(count)]
    clients = (
        ask_and_watch(server, begin_s + SPREAD_S * number / len(wanted), *each) for number, each in enumerate(wanted)
    )
    for line in await asyncio.gather(*clients):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), json.loads(sys.argv[3])))
