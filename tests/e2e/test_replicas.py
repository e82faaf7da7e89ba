"""Two registries on one catalogue: whichever is asked, one build; whichever dies, no caller and no runner misses it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom_client import Client

from .house import House, free_port
from .process import Process, until
from .test_once import CROWD

SAME, OTHERS, CLIENTS_PER_OTHER = 60, 3, 6
HEAD_START_S = 0.3


class ReplicatedHouse(House):
    """A house with a second registry on the same catalogue and store."""

    def __init__(self, folder: Path, raw: Path, **registry: object) -> None:
        super().__init__(folder, raw, **registry)
        self.other_server = f"localhost:{free_port()}"
        settings = {"LISTEN": self.other_server, "HOME": folder / "registry", **self.store, **registry}
        self.other: Process = self._process("registry-b", "dataset_registry", "DARKROOM_REGISTRY_", settings)
        self.other_client = Client(self.other_server, folder / "cache-b", "tester@there")

    @property
    def both(self) -> str:
        return f"{self.server},{self.other_server}"

    def end(self) -> None:
        self.other_client.close()
        super().end()
        self.other.end()


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request, tmp_path, photos) -> Iterator[ReplicatedHouse]:
    """Two registries started on one catalogue, with leases that a killed registry outlasts."""
    settings = {"LEASE_S": 10}
    if request.param == "postgresql":
        settings["DATABASE_URL"] = request.getfixturevalue("migrated_postgres_url")
    house = ReplicatedHouse(tmp_path / "house", photos, **settings)
    try:
        # Both at once: on SQLite both find an empty home, and one of them makes the tables.
        house.registry.start()
        house.other.start()
        yield house
    finally:
        house.end()


def test_equal_requests_over_both_cause_one_build_and_each_sees_what_the_other_does(house):
    house.start_runner("runner-1", REGISTRY=house.server)
    house.wait_for_handlers()
    house.other_client.define("street", "test/slow", {"photos": "street"})
    plan = [["street", '{"seed": 1, "delay_s": 0.02}', SAME // 2]]
    plan += [["street", json.dumps({"seed": 2 + number}), CLIENTS_PER_OTHER // 2] for number in range(OTHERS)]
    crowds = [
        subprocess.Popen(
            [sys.executable, str(CROWD), server, json.dumps(plan)],
            env=house.variables(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        for server in (house.server, house.other_server)
    ]
    try:
        assert [each.stdout.readline() for each in crowds] == ["ready\n"] * 2
        for each in crowds:
            each.stdin.write(f"{time.time() + HEAD_START_S}\n")
        lines = [json.loads(line) for each in crowds for line in each.communicate(timeout=120)[0].splitlines()]
    finally:
        for each in crowds:
            each.kill()
    assert Counter(state for _, _, state, _ in lines) == {"READY": SAME + OTHERS * CLIENTS_PER_OTHER}
    assert sorted(Counter(key for _, key, _, _ in lines).values()) == [CLIENTS_PER_OTHER] * OTHERS + [SAME]
    assert len({digest for _, _, _, digest in lines}) == 1 + OTHERS
    begun = Counter(entry["kind"] for entry in house.runner.events("work_begins"))
    assert begun == {"ENVIRONMENT": 2, "SNAPSHOT": 1, "BUILD": 1 + OTHERS}
    # The runner speaks with the one only; who watches at the other sees each step of the way.
    request = house.other_client.request_dataset("street", "latest", {"seed": 9, "delay_s": 0.05})
    near: dict[int, float] = {}
    far: dict[int, float] = {}
    watching = [
        threading.Thread(target=note, args=(client, request.name, seen), daemon=True)
        for client, seen in ((house.client, near), (house.other_client, far))
    ]
    for thread in watching:
        thread.start()
    for thread in watching:
        thread.join(90)
    assert max(near) == max(far) == house.client.get_dataset(request.key).shard_count
    late = [far[step] - near[step] for step in near.keys() & far.keys()]
    print(f"seen later at the other registry by {max(late):.2f} s at most, over {len(late)} steps")
    assert len(far) > 2


def note(client: Client, name: str, seen: dict[int, float]) -> None:
    """Keep when each count of finished shards was seen first."""
    for snapshot in client.get_request(name).watch():
        done = snapshot.dataset.shard_count if snapshot.final else snapshot.shards_done
        seen.setdefault(done, time.monotonic())


def test_a_registry_that_is_killed_in_mid_build_is_missed_by_nobody(house):
    runner = house.start_runner("runner-1", REGISTRY=house.both)
    house.wait_for_handlers()
    with Client(house.both, house.folder / "cache-c", "tester@both") as client:
        client.define("street", "test/slow", {"photos": "street"})
        for seed, (victim, others) in enumerate([(house.registry, house.other_client), (house.other, house.client)]):
            request = client.request_dataset("street", "latest", {"seed": seed, "delay_s": 0.06})
            seen, elsewhere = [], []
            watchers = [
                threading.Thread(target=lambda seen=seen, each=request: seen.extend(each.watch()), daemon=True),
                threading.Thread(
                    target=lambda seen=elsewhere, name=request.name, client=others: seen.extend(
                        client.get_request(name).watch()
                    ),
                    daemon=True,
                ),
            ]
            for watcher in watchers:
                watcher.start()
            until(lambda seen=elsewhere: any(each.shards_done for each in list(seen)), "the first shard")
            victim.kill()
            with house.darkroom_running("watch", request.name, env={"DARKROOM_SERVER": house.both}) as command:
                for watcher in watchers:
                    watcher.join(90)
                assert command.wait(60) == 0, command.log
            for ends in (seen[-1], elsewhere[-1]):
                # Nobody took over: the runner held its lease through the other one.
                assert (ends.state, ends.attempt, ends.shards_reused) == ("READY", 1, 0)
            assert len(request.get().manifest.shards) == seen[-1].shard_count
            victim.start()
            until(lambda at=victim: at.events("registry_ready")[1:], "the registry's return", 60)
    assert runner.events("registry_away")
    assert not runner.events("work_failed")
