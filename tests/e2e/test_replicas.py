"""Two registries on one catalogue: whichever is asked, one build; whichever dies, no caller and no runner misses it."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator, Mapping

import pytest

from darkroom_client import Client

from .process import until
from .replicas import KINDS, ReplicatedHouse, open_replicas

# On a quiet machine 1 and 5 s are promised.
LATE_S = 3.0
REATTACHED_S = 15.0


@pytest.fixture(scope="module", params=KINDS)
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicatedHouse]:
    yield from open_replicas(request.param, request, tmp_path_factory)


def test_who_watches_at_one_sees_each_step_that_a_runner_reports_to_the_other(house: ReplicatedHouse) -> None:
    request = house.other_client.request_dataset("street", "latest", {"seed": 1, "delay_s": 0.2})
    near, far = Watcher(house.client, request.name), Watcher(house.other_client, request.name)
    shard_count = near.last().shard_count
    assert max(near.seen_s) == max(far.last().shards_done, max(far.seen_s)) == shard_count
    late_s = [far.seen_s[step] - near.seen_s[step] for step in near.seen_s.keys() & far.seen_s.keys()]
    print(f"seen later at the other registry by {max(late_s):.2f} s at most, over {len(late_s)} steps")
    assert len(late_s) > 2
    assert statistics.median(late_s) < LATE_S


def test_a_registry_that_is_killed_in_mid_build_is_missed_by_nobody(house: ReplicatedHouse) -> None:
    lost = len(house.runner.events("registry_away"))
    with Client(house.both, house.folder / "cache-c", "tester@both") as client:
        sides = [(house.registry, house.other_client), (house.other, house.client)]
        for seed, (victim, other_client) in enumerate(sides, 20):
            request = client.request_dataset("street", "latest", {"seed": seed, "delay_s": 0.2})
            # One sits at the victim, when it is the first; the other only where the victim is not.
            here, elsewhere = Watcher(client, request.name), Watcher(other_client, request.name)
            until(lambda seen=elsewhere: seen.steps() > 1, "the first shards")
            killed_s = time.time()
            victim.kill()
            with house.darkroom_running("watch", request.name, env={"DARKROOM_SERVER": house.both}) as command:
                ends = here.last(), elsewhere.last()
                assert command.wait(180) == 0, command.log
            for end in ends:
                # Nobody took over: the runner held its lease through the other one.
                assert (end.state, end.attempt, end.shards_reused) == ("READY", 1, 0)
            assert len(request.get().manifest.shards) == ends[0].shard_count
            for who, watcher in (("who sat at it", here), ("who sat elsewhere", elsewhere)):
                told_s = min(each for each in watcher.seen_s.values() if each > killed_s) - killed_s
                late_s = lateness_s(watcher.seen_s, staged_s(house, request.key))
                print(f"{who} heard more after {told_s:.2f} s, and of each shard {max(late_s):.2f} s late at most")
                assert told_s < REATTACHED_S
                assert statistics.median(late_s) < LATE_S
            house.start_again(victim)
    assert len(house.runner.events("registry_away")) > lost
    assert not house.runner.events("work_failed")


class Watcher:
    """Watches a request from a thread of its own, and notes when each count of finished shards was seen first."""

    def __init__(self, client: Client, name: str) -> None:
        self.seen_s: dict[int, float] = {}
        self._request = client.get_request(name)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def steps(self) -> int:
        """Return how many different counts have been seen."""
        return len(self.seen_s)

    def last(self):  # type: ignore[no-untyped-def]
        """Return the final snapshot."""
        self._thread.join(180)
        assert self._request.snapshot.final
        return self._request.snapshot

    def _watch(self) -> None:
        for snapshot in self._request.watch():
            self.seen_s.setdefault(snapshot.shards_done, time.time())


def staged_s(house: ReplicatedHouse, key: str) -> list[float]:
    """Return when each shard of a dataset was in the store, which it is right before its row is written."""
    return sorted(path.stat().st_mtime for path in house.store_folder.glob(f"{key}/*/*.entry"))


def lateness_s(seen_s: Mapping[int, float], made_s: list[float]) -> list[float]:
    """Return how much later than it was made each seen count of shards was seen."""
    return [seen - made_s[count - 1] for count, seen in seen_s.items() if 0 < count <= len(made_s)]
