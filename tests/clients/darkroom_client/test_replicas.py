"""Several registries on one catalogue: one that answers is found, one that is lost gives way, unseen by callers."""

import asyncio
import shutil
import threading
import time
from pathlib import Path

import pytest

from darkroom_client import AsyncClient, Client, RequestState, Unavailable, connection
from darkroom_client.replicas import Replicas, split_servers

from .conftest import RegistryProcess


@pytest.fixture
def other(registry):
    """A second registry on the same home, as a replica shares the catalogue."""
    other = RegistryProcess(registry.home)
    other.start()
    yield other
    other.kill()


class Line:
    def close(self) -> None:
        pass


def test_addresses_are_split_at_commas():
    assert split_servers("a:1") == ["a:1"]
    assert split_servers("a:1, b:2 ,") == ["a:1", "b:2"]


def test_the_next_is_turned_to_once_however_many_calls_were_lost():
    replicas = Replicas("a:1,b:2,c:3", lambda server: Line())
    lost = replicas.current
    replicas.leave(lost)
    replicas.leave(lost)
    assert replicas.current.server == "b:2"
    replicas.leave(replicas.current)
    replicas.leave(replicas.current)
    assert replicas.current.server == "a:1"
    assert not replicas.single


def test_the_first_that_answers_is_found(registry, tmp_path, monkeypatch):
    with Client(f"localhost:1,{registry.server}", cache=tmp_path) as client:
        assert len(client.list_datasets()) == 1
    monkeypatch.setattr(connection, "CONTACT_TIMEOUT_S", 0.5)
    with Client("localhost:1,localhost:2", cache=tmp_path) as client, pytest.raises(Unavailable, match="localhost:1,"):
        client.list_datasets()


def test_a_watch_goes_on_with_the_other_when_one_is_killed(registry, other, tmp_path):
    (registry.home / "go").unlink()
    states = []
    with Client(f"{registry.server},{other.server}", cache=tmp_path) as client:
        request = client.request_dataset("street")
        for snapshot in request.watch():
            states.append(snapshot.state)
            if len(states) == 3:
                registry.kill()
                registry.set("go")
        assert len(client.list_datasets()) == 1
    assert states[-1] is RequestState.READY


def test_calls_are_answered_whichever_is_killed_and_started(registry, other, tmp_path):
    async def calls() -> None:
        async with AsyncClient(f"{registry.server},{other.server}", cache=tmp_path) as client:
            for _ in range(2):
                for one in (registry, other):
                    await asyncio.to_thread(one.kill)
                    found = await asyncio.gather(*(client.list_datasets() for _ in range(5)))
                    assert [len(each) for each in found] == [1] * 5
                    await asyncio.to_thread(one.start)

    asyncio.run(calls())


def test_a_download_through_the_registry_goes_on_with_the_other(registry, other, tmp_path):
    shutil.rmtree(registry.home / "urls", ignore_errors=True)
    registry.set("slow_s", 0.05)
    with Client(f"{registry.server},{other.server}", cache=tmp_path) as client:
        request = client.request_dataset("street")
        request.wait(60)
        killer = threading.Thread(target=kill_when_read, args=(registry,))
        killer.start()
        path = Path(request.get().path)
        killer.join()
    assert registry.process is None
    assert len(list(path.glob("*.tfrecord"))) == registry.facts["shards"]


def kill_when_read(registry: RegistryProcess) -> None:
    while not registry.lines("reads"):
        time.sleep(0.01)
    registry.kill()
