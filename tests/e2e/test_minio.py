"""A whole build on a real MinIO: made, downloaded by presigned ranges, checked, and made again to the byte."""

from __future__ import annotations

from .buckets import archive_objects, object_bytes, s3
from .process import until
from .relay import Relay


def test_a_dataset_on_minio_is_built_downloaded_checked_and_built_again_to_the_byte(
    open_house, photos, minio_variables
):
    house = open_house(photos, store=minio_variables).start()
    house.client.define("street", "stock/inpainting", {"photos": "street"})
    relay = Relay(house.server)
    built = house.darkroom("request", "street", "--json", "--server", relay.server).ok().json
    relay.close()
    assert built["cached"] is False
    assert house.client.get_dataset(built["key"]).download_count == 1
    # Words came from the registry; the bytes came from the store itself, by a URL that answers ranges.
    assert relay.passed_bytes < built["bytes"] / 10
    assert house.darkroom("cache", "verify").ok()
    for check in (["--full"], ["--rebuild", "2"]):
        report = house.darkroom("verify", built["key"], *check, "--json").ok().json
        assert report["ok"], report
    assert report["shards_rebuilt"] == 2
    [first] = archive_objects(minio_variables, built["key"])
    house.darkroom("delete", built["key"]).ok()
    again = house.darkroom("request", "street", "--json").ok().json
    assert (again["key"], again["digest"], again["cached"]) == (built["key"], built["digest"], False)
    [second] = [name for name in archive_objects(minio_variables, built["key"]) if name != first]
    assert object_bytes(minio_variables, first) == object_bytes(minio_variables, second)


def test_an_archive_that_is_gone_from_the_bucket_is_named_and_built_again_when_asked_for(
    open_house, photos, minio_variables, tmp_path
):
    house = open_house(photos, store=minio_variables).start()
    house.client.define("street", "stock/inpainting", {"photos": "street"})
    built = house.darkroom("request", "street", "--json").ok().json
    [name] = archive_objects(minio_variables, built["key"])
    s3(minio_variables).delete_object(Bucket=minio_variables["STORE_BUCKET"], Key=name)
    other_machine = {"DARKROOM_CACHE": str(tmp_path / "other")}
    gone = house.darkroom("get", built["key"], env=other_machine)
    assert gone.code == 1
    assert f"datasets/{built['key']} is EVICTED; request it to have it built" in gone.err
    again = house.darkroom("request", "street", "--json", env=other_machine).ok().json
    assert (again["digest"], again["cached"]) == (built["digest"], False)


def test_a_build_waits_for_a_store_that_is_down_and_says_so(open_house, photos, minio_server, minio_variables):
    house = open_house(photos, store=minio_variables).start()
    house.client.define("street", "test/slow", {"photos": "street"})
    request = house.client.request_dataset("street", "latest", {"delay_s": 0.02})
    minio_server.stop()
    try:
        waiting = next(each.waiting_for for each in request.watch() if each.waiting_for)
    finally:
        minio_server.start()
    assert minio_server.endpoint in waiting
    snapshot = request.wait(60)
    assert (snapshot.attempt, snapshot.waiting_for) == (1, "")
    until(lambda: house.darkroom("verify", request.key, "--full").code == 0, "a whole archive")
