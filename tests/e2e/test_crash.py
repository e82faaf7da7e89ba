"""Whoever is killed in the middle of a build: what was committed is not built again, and the archive is the same."""

from __future__ import annotations

import filecmp
import threading

from .process import until

# Long enough that a build takes some seconds, which are needed to kill somebody in its middle.
CONFIG = {"delay_s": 0.25}
LEASE_S = 4


def test_killed_runner_and_registry_cost_no_committed_shard_and_no_watcher(open_house, photos):
    house = open_house(photos, LEASE_S=LEASE_S).start()
    house.client.define("street", "test/slow", {"photos": "street"})
    request = house.client.request_dataset("street", "latest", CONFIG)
    seen = []
    watcher = threading.Thread(target=lambda: seen.extend(request.watch()), daemon=True)
    watcher.start()
    with house.darkroom_running("watch", request.name) as command:
        until(lambda: any(each.shards_done >= each.shard_count / 2 > 0 for each in list(seen)), "half of the shards")
        until(lambda: command.log, "the command's first line")
        assert not seen[-1].final, "the build was over before anybody was killed"
        house.runner.kill()
        house.registry.kill()
        house.registry.start()
        house.start_runner()
        # Neither the SDK's watcher nor the command is told: they find the way back by themselves.
        watcher.join(180)
        assert command.wait() == 0
    last = seen[-1]
    assert last.state == "READY"
    assert last.attempt == 2
    assert last.shards_reused >= last.shard_count / 2
    # The second attempt staged, and its handler read, exactly what the kept shards do not hold.
    rebuilt = {path.stem for path in house.store_folder.glob(f"{request.key}/{second_fence(house, request)}/*.entry")}
    assert len(rebuilt) == last.shard_count - last.shards_reused
    examples = {shard.name: shard.records for shard in request.get().manifest.shards}
    log = "".join(house.client.read_log(f"datasets/{request.key}"))
    _, noted, second = log.partition("shards are there from an earlier attempt")
    assert noted
    assert second.count("reading ") == sum(examples[name] for name in rebuilt)
    assert filecmp.cmp(house.archive(request.key), undisturbed_archive(open_house, photos), shallow=False)


def second_fence(house, request):
    """Return the later of the two claims below which objects lie."""
    fences = sorted(int(folder.name) for folder in (house.store_folder / request.key).iterdir())
    assert len(fences) == 2
    return fences[-1]


def undisturbed_archive(open_house, photos):
    """Return the archive of the same dataset from a house in which nobody is killed."""
    house = open_house(photos).start()
    house.client.define("street", "test/slow", {"photos": "street"})
    request = house.client.request_dataset("street", "latest", CONFIG)
    request.wait(180)
    return house.archive(request.key)
