"""Many who ask for one dataset and watch, in one process, by the SDK.

python watching_crowd.py SERVERS DATASET CONFIG_JSON CLIENTS WATCHERS

Each client makes a request of its own, which its watchers watch; every second one begins at the last of SERVERS.

Says `watching` once each watcher has seen its request. At the end each watcher becomes a line: the state that it saw
last, or the error that reached it, and when a registry answered it that it had to turn to, in seconds since the epoch.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from darkroom_client import AsyncClient
from darkroom_client.async_request import AsyncDatasetRequest


class Watcher:
    """Watches as any user of the SDK does; stands between a request and its connection to note each new answer."""

    def __init__(self, client: AsyncClient) -> None:
        self.end = ""
        self.answered_s: list[float] = []
        self.began = asyncio.Event()
        self._client = client

    async def watch(self, name: str) -> None:
        try:
            found = await self._client.get_request(name)
            async for snapshot in AsyncDatasetRequest(self._client, self, found.snapshot).watch():
                self.end = str(snapshot.state)
                self.began.set()
        except Exception as error:
            self.end = f"{type(error).__name__}: {error}"
            self.began.set()

    async def stream(
        self, method: str, next_request: Callable[[], Any], last: Callable[[Any], bool]
    ) -> AsyncGenerator[Any, None]:
        asked = False

        def ask() -> Any:
            nonlocal asked
            asked = True
            return next_request()

        async with aclosing(self._client._connection.stream(method, ask, last)) as responses:
            async for response in responses:
                if asked:
                    self.answered_s.append(time.time())
                asked = False
                yield response


async def main(servers: str, dataset_name: str, config_json: str, client_count: int, watcher_count: int) -> None:
    orders = servers, ",".join(reversed(servers.split(",")))
    clients = [AsyncClient(orders[number % 2]) for number in range(client_count)]
    config = json.loads(config_json)
    requests = await asyncio.gather(*(each.request_dataset(dataset_name, "latest", config) for each in clients))
    crowd = [Watcher(clients[number % client_count]) for number in range(watcher_count)]
    tasks = [asyncio.create_task(each.watch(requests[number % client_count].name)) for number, each in enumerate(crowd)]
    await asyncio.gather(*(each.began.wait() for each in crowd))
    print("watching", flush=True)
    await asyncio.gather(*tasks)
    for each in crowd:
        print(json.dumps([each.end, each.answered_s]), flush=True)
    await asyncio.gather(*(each.close() for each in clients))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4], *map(int, sys.argv[4:])))
