"""How far a work is, as a watcher sees it."""

from __future__ import annotations

from darkroom.dataset.v1 import dataset_pb2
from handler_runner.progress import WorkProgress


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


def building(example_count=100):
    clock = Clock()
    progress = WorkProgress("studio", 2, clock)
    progress.plan(10, example_count)
    progress.enter(dataset_pb2.STAGE_BUILDING)
    return progress, clock


async def test_examples_of_running_and_committed_shards_are_counted_once():
    progress, _ = building()
    progress.running("a", 5)
    progress.running("b", 7)
    progress.committed("a", 10, 1000)
    seen = progress.to_proto()
    assert (seen.examples_done, seen.shards_done, seen.bytes_done) == (17, 1, 1000)
    assert (seen.runner, seen.attempt, seen.shards_reused) == ("studio", 2, 0)


async def test_the_rate_is_that_of_the_last_seconds_and_gives_the_time_left():
    progress, clock = building()
    progress.to_proto()
    for second in range(1, 21):
        clock.now_s = second
        progress.running("a", 40 if second > 10 else 4 * second)
        seen = progress.to_proto()
        if second == 10:
            assert seen.rate == 4.0
            assert seen.eta.ToTimedelta().total_seconds() == 15.0
    assert seen.rate == 0.0
    assert not seen.HasField("eta")


async def test_shards_of_an_earlier_attempt_are_no_speed():
    progress, clock = building()
    progress.to_proto()
    clock.now_s = 1.0
    progress.committed("a", 50, 1, reused=True)
    assert progress.to_proto().rate == 0.0
    clock.now_s = 2.0
    progress.running("b", 10)
    assert progress.to_proto().rate == 10.0


async def test_a_shard_that_is_built_again_counts_down():
    progress, clock = building()
    progress.running("a", 30)
    progress.to_proto()
    clock.now_s = 1.0
    progress.dropped("a")
    seen = progress.to_proto()
    assert (seen.examples_done, seen.rate) == (0, 0.0)


async def test_it_says_for_what_it_waits_until_it_waits_no_more():
    progress, _ = building()
    with progress.waiting() as first, progress.waiting() as second:
        first("the store is down")
        second("the disk is full")
        assert progress.to_proto().waiting_for == "the store is down; the disk is full"
    assert progress.to_proto().waiting_for == ""


async def test_the_first_skipped_files_are_named():
    progress, _ = building()
    progress.skipped = [f"{number:02}.jpg: bad" for number in range(30)]
    seen = progress.to_proto()
    assert seen.skipped_count == 30
    assert list(seen.skipped) == sorted(progress.skipped)[:20]
