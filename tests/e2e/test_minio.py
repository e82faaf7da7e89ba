"""A whole build on a real MinIO: made, downloaded by presigned ranges, checked, and made again to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from .buckets import archive_objects, object_bytes, s3
from .house import House
from .relay import Relay


@pytest.fixture(scope="module")
def minio_house(minio_server, tmp_path_factory, photos) -> Iterator[House]:
    """A started house on a bucket of its own."""
    store = minio_server.environment("", f"e2e-{uuid4().hex}")
    house = House(tmp_path_factory.mktemp("minio") / "house", photos, store)
    try:
        house.start().client.define("street", "stock/inpainting", {"photos": "street"})
        yield house
    finally:
        house.end()


def test_a_dataset_on_minio_is_built_downloaded_checked_and_built_again_to_the_byte(minio_house):
    relay = Relay(minio_house.server)
    built = minio_house.darkroom("request", "street", "--json", "--server", relay.server).ok().json
    relay.close()
    assert built["cached"] is False
    assert minio_house.client.get_dataset(built["key"]).download_count == 1
    # Words came from the registry; the bytes came from the store itself, by a URL that answers ranges.
    assert relay.passed_bytes < built["bytes"] / 10
    assert minio_house.darkroom("cache", "verify").ok()
    report = minio_house.darkroom("verify", built["key"], "--full", "--rebuild", "2", "--json").ok().json
    assert (report["ok"], report["shards_rebuilt"]) == (True, 2)
    assert report["shards_read"] == minio_house.client.get_dataset(built["key"]).shard_count
    [first] = archive_objects(minio_house.store, built["key"])
    minio_house.client.delete(built["key"])
    again = minio_house.darkroom("request", "street", "--json").ok().json
    assert (again["key"], again["digest"], again["cached"]) == (built["key"], built["digest"], False)
    [second] = [name for name in archive_objects(minio_house.store, built["key"]) if name != first]
    assert object_bytes(minio_house.store, first) == object_bytes(minio_house.store, second)


def test_an_archive_that_is_gone_from_the_bucket_is_named_and_built_again_when_asked_for(minio_house, tmp_path):
    built = minio_house.client.request_dataset("street", "latest", {"seed": 1}).wait(180).dataset
    [name] = archive_objects(minio_house.store, built.key)
    s3(minio_house.store).delete_object(Bucket=minio_house.store["STORE_BUCKET"], Key=name)
    gone = minio_house.darkroom("get", built.key)
    assert gone.code == 1
    assert f"datasets/{built.key} is EVICTED; request it to have it built" in gone.err
    again = minio_house.darkroom("request", "street", "--set", "seed=1", "--json").ok().json
    assert (again["digest"], again["cached"]) == (built.digest, False)


def test_a_build_waits_for_a_store_that_is_down_and_says_so(minio_house, minio_server):
    minio_house.client.define("slow", "test/slow", {"photos": "street"})
    request = minio_house.client.request_dataset("slow", "latest", {"delay_s": 0.02})
    minio_server.stop()
    try:
        waiting = next(each.waiting_for for each in request.watch() if each.waiting_for)
    finally:
        minio_server.start()
    assert minio_server.endpoint in waiting
    snapshot = request.wait(180)
    assert (snapshot.attempt, snapshot.waiting_for) == (1, "")
    assert minio_house.client.verify(request.key, full=True).ok
