"""The same from a program with an event loop."""

import asyncio
import time

import pytest

from darkroom_client import AsyncClient, Dataset, RequestFailed, RequestState
from darkroom_client.errors import NotFound


@pytest.fixture
async def client(registry, tmp_path):
    async with AsyncClient(registry.server, cache=tmp_path / "cache") as client:
        yield client


async def test_a_request_is_awaited_and_its_dataset_is_in_the_cache(client):
    request = await client.request_dataset("street", "latest", {"image_size": [8, 8]})
    states = [snapshot.state async for snapshot in request.watch()]
    assert states[-1] is RequestState.READY
    assert (await request.get()).examples == 100


async def test_many_watchers_share_one_client(client):
    requests = await asyncio.gather(*(client.request_dataset("street") for _ in range(20)))
    snapshots = await asyncio.gather(*(request.wait() for request in requests))
    assert {snapshot.key for snapshot in snapshots} == {"ab" * 32}


async def test_the_callback_may_be_a_coroutine_and_gets_the_dataset_or_the_error(client):
    outcomes = []

    async def keep(outcome) -> None:
        outcomes.append(outcome)

    await (await client.request_dataset("street")).on_ready(keep)
    await (await client.request_dataset("street", "broken")).on_ready(outcomes.append)
    assert isinstance(outcomes[0], Dataset)
    assert isinstance(outcomes[1], RequestFailed)


async def test_a_cancelled_download_stops_and_is_gone_on_with_later(client, registry):
    registry.set("slow_s", 30)
    request = await client.request_dataset("street")
    download = asyncio.create_task(request.get())
    await asyncio.sleep(0.3)
    download.cancel()
    begin = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await download
    assert time.monotonic() - begin < 20
    registry.set("slow_s", 0)
    assert (await request.get()).examples == 100


async def test_an_unknown_request_is_not_found(client):
    with pytest.raises(NotFound):
        await client.get_request("requests/8b4f8f0e-0000-4000-8000-000000000000")


async def test_the_log_is_read_piece_by_piece(client):
    assert "".join([text async for text in client.read_log("street")]) == "a line\nanother line\n"
