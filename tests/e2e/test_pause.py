"""A runner that sleeps past its lease wakes up to find its work done by another, and leaves everything alone."""

from __future__ import annotations

import grpc
import pytest

from darkroom.handler.v1 import handler_pb2, handler_pb2_grpc

from .process import until

LEASE_S = 3
SHARDS_BEFORE = 3


def test_a_paused_runner_is_fenced_out_and_publishes_and_deletes_nothing(open_house, photos):
    house = open_house(photos, LEASE_S=LEASE_S).start()
    house.client.define("street", "test/slow", {"photos": "street"})
    request = house.client.request_dataset("street", "latest", {"delay_s": 0.08})
    next(each for each in request.watch() if each.shards_done >= SHARDS_BEFORE)
    house.runner.pause()
    house.start_runner("runner-2")
    snapshot = request.wait(180)
    assert snapshot.runner == "runner-2"
    assert snapshot.attempt == 2
    assert snapshot.shards_reused >= SHARDS_BEFORE
    dataset = house.client.get_dataset(request.key)
    before = objects(house, request.key)
    house.runner.resume()
    [lost] = until(lambda: house.runner.events("work_lost"), "that the paused runner sees that it was fenced out")
    assert "under fence 1 is over: it is DONE under fence 2" in lost["reason"]
    assert status_of_a_late_commit(house.server, lost["work"]) is grpc.StatusCode.ABORTED
    # It is free for other work at once, and what it was on its way to do for the old one came to nothing.
    house.runners["runner-2"].stop()
    house.client.request_dataset("street", "latest", {"delay_s": 0}).wait(180)
    assert house.client.get_dataset(request.key) == dataset
    after = objects(house, request.key)
    assert before.items() <= after.items(), "nothing was deleted or changed"
    assert [name for name in after if name.endswith(".zip")] == [name for name in before if name.endswith(".zip")]
    assert house.darkroom("verify", request.key, "--full").ok()


def status_of_a_late_commit(server, work):
    """Return what the registry answers to the first holder of a piece of work that another has finished."""
    with grpc.insecure_channel(server) as channel:
        shard = handler_pb2.Shard(split="train", index=0, object="late", size_bytes=1, sha256="0" * 64, record_count=1)
        commit = handler_pb2.CommitShardRequest(work=work, fence=1, shard=shard)
        with pytest.raises(grpc.RpcError) as refused:
            handler_pb2_grpc.RunnerServiceStub(channel).CommitShard(commit, timeout=10)
    return refused.value.code()


def objects(house, key):
    """Return each object of a dataset with its content."""
    folder = house.store_folder / key
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
