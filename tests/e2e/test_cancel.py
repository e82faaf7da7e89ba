"""A build stops when nobody wants it any more, and what it has done is kept for whoever asks again."""

from __future__ import annotations

from .process import until

CONFIG = {"delay_s": 0.2}


def test_the_last_cancel_stops_the_build_and_its_shards_are_kept(open_house, photos):
    house = open_house(photos, CANCEL_GRACE_S=0.3).start()
    house.client.define("street", "test/slow", {"photos": "street"})
    first, second = (house.client.request_dataset("street", "latest", CONFIG) for _ in range(2))
    next(each for each in first.watch() if each.shards_done)
    first.cancel()
    done = house.client.get_dataset(first.key).shards_done
    next(each for each in second.watch() if each.shards_done > done)
    second.cancel()
    [end] = until(lambda: [*house.runner.events("work_stopped"), *house.runner.events("work_lost")], "its end")
    # It hears of it at its next heartbeat, or at its next commit.
    assert "nobody waits for the work any more" in end["reason"] or "it is CANCELLED" in end["reason"]
    dataset = house.client.get_dataset(first.key)
    assert (dataset.state, dataset.interest_count) == ("CANCELLED", 0)
    third = house.client.request_dataset("street", "latest", CONFIG).wait(180)
    assert third.key == first.key
    assert third.shards_reused > done
