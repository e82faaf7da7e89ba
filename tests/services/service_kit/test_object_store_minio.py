"""The store in a bucket, on a real MinIO server: buckets, URLs, silence, large uploads, and what boto3 reads."""

from __future__ import annotations

import hashlib
import threading
import time
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import urllib3

from handler_runner.archive import ShardEntry, archive_name, layout, local_header, manifest_bytes, tail_bytes
from service_kit.object_store import StoreUnavailable
from service_kit.object_store_minio import MinioObjectStore
from service_kit.object_store_settings import ObjectStoreSettings
from service_kit.upload_plan import PartLimits

if TYPE_CHECKING:
    from tests.conftest import MinioServer

MIB = 1 << 20


def boto3_client(settings: ObjectStoreSettings) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=settings.store_endpoint,
        region_name=settings.store_region,
        aws_access_key_id=settings.store_access_key,
        aws_secret_access_key=settings.secret_key().get_secret_value(),
    )


def test_more_sources_than_an_upload_has_parts_compose_in_two_levels(minio_settings: ObjectStoreSettings) -> None:
    store = MinioObjectStore(minio_settings, PartLimits(parts=4))
    contents = [bytes([number]) * (5 * MIB) for number in range(7)]
    for number, content in enumerate(contents):
        store.put(f"k/{number}", content)
    ticks: list[int] = []
    store.compose("k/whole", [f"k/{number}" for number in range(7)], lambda: ticks.append(1))
    assert b"".join(store.read("k/whole", 0, 35 * MIB)) == b"".join(contents)
    assert len(ticks) >= 7
    assert [found.name for found in store.list("k/whole")] == ["k/whole"]


def test_services_that_start_at_once_make_the_bucket_once(minio_settings: ObjectStoreSettings) -> None:
    errors: list[BaseException] = []

    def first_put(number: int) -> None:
        try:
            MinioObjectStore(minio_settings).put(f"a/{number}", b"1")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=first_put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(list(MinioObjectStore(minio_settings).list("a/"))) == 8


def test_a_bucket_that_may_not_be_made_is_waited_for(minio_settings: ObjectStoreSettings) -> None:
    waiting = MinioObjectStore(minio_settings.model_copy(update={"store_create": False}))
    with pytest.raises(StoreUnavailable, match="no such bucket"):
        waiting.stat("a")
    MinioObjectStore(minio_settings).put("a", b"1")
    assert waiting.stat("a")


def test_a_url_is_for_the_host_that_clients_see_and_needs_no_server(minio_settings: ObjectStoreSettings) -> None:
    MinioObjectStore(minio_settings).put("a", b"0123456789")
    assert minio_settings.store_endpoint
    public = minio_settings.store_endpoint.replace("127.0.0.1", "localhost")
    changes = {"store_endpoint": "http://127.0.0.1:9", "store_public_endpoint": public}
    url = MinioObjectStore(minio_settings.model_copy(update=changes)).presign("a", 60)
    assert url
    assert url.startswith(f"{public}/{minio_settings.store_bucket}/a?")
    with urllib3.PoolManager() as http:
        assert http.request("GET", url, headers={"Range": "bytes=3-5"}).data == b"345"
        # The signature covers the host.
        assert http.request("GET", url.replace("localhost", "127.0.0.1")).status == 403


def test_a_url_expires(minio_settings: ObjectStoreSettings) -> None:
    store = MinioObjectStore(minio_settings)
    store.put("a", b"1")
    url = store.presign("a", 1)
    assert url
    time.sleep(2.1)
    with urllib3.PoolManager() as http:
        assert http.request("GET", url).status == 403


def test_a_silent_server_is_unavailable_in_bounded_time(
    minio_server: MinioServer, minio_settings: ObjectStoreSettings
) -> None:
    MinioObjectStore(minio_settings).put("a", bytes(6 * MIB))
    store = MinioObjectStore(minio_settings.model_copy(update={"store_timeout_s": 0.5}))
    calls: list[Callable[[], object]] = [
        lambda: store.stat("a"),
        lambda: list(store.read("a", 0, 1)),
        lambda: store.put("b", b"1"),
        lambda: store.put("b", bytes(20 * MIB)),
        lambda: store.compose("b", ["a", "a"]),
        lambda: list(store.list("")),
    ]
    minio_server.pause()
    try:
        for call in calls:
            started = time.monotonic()
            with pytest.raises(StoreUnavailable, match="no answer from the store"):
                call()
            assert time.monotonic() - started < 20
    finally:
        minio_server.resume()
    # Requests that nobody waited for any more may still be answered.
    assert MinioObjectStore(minio_settings).stat("a")


def test_a_server_that_falls_silent_in_mid_read_is_unavailable(
    minio_server: MinioServer, minio_settings: ObjectStoreSettings
) -> None:
    MinioObjectStore(minio_settings).put("a", bytes(64 * MIB))
    store = MinioObjectStore(minio_settings.model_copy(update={"store_timeout_s": 0.5}))
    chunks = store.read("a", 0, 64 * MIB)
    next(chunks)
    minio_server.pause()
    try:
        with pytest.raises(StoreUnavailable, match="no answer from the store"):
            list(chunks)
    finally:
        minio_server.resume()


def test_a_server_that_dies_in_mid_put_leaves_the_old_object(
    minio_server: MinioServer, minio_settings: ObjectStoreSettings
) -> None:
    store = MinioObjectStore(minio_settings)
    store.put("a", b"old")
    killer = threading.Timer(0.15, minio_server.stop)
    killer.start()
    try:
        with pytest.raises(StoreUnavailable):
            while True:
                store.put("a", bytes(100 * MIB))
    finally:
        killer.join()
        minio_server.start()
    found = store.stat("a")
    assert found
    assert found.size_bytes in (3, 100 * MIB)


def test_an_upload_that_fails_is_aborted(minio_settings: ObjectStoreSettings) -> None:
    store = MinioObjectStore(minio_settings)
    store.put("source", bytes(6 * MIB))

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        store.compose("whole", ["source"] * 3, stop)
    uploads = boto3_client(minio_settings).list_multipart_uploads(Bucket=minio_settings.store_bucket, Prefix="whole")
    assert "Uploads" not in uploads


def test_boto3_reads_a_composed_archive(minio_settings: ObjectStoreSettings) -> None:
    store = MinioObjectStore(minio_settings)
    key = "0123456789abcdef" * 4
    contents = [bytes([number]) * size for number, size in enumerate([100, 6 * MIB, 0, 2000, 12 * MIB, 7])]
    entries = [
        ShardEntry("train", index, len(content), hashlib.sha256(content).hexdigest(), zlib.crc32(content), 1)
        for index, content in enumerate(contents)
    ]
    for entry, content in zip(entries, contents, strict=True):
        store.put(f"{key}/1/{entry.name}.entry", local_header(entry.name, entry.size_bytes, entry.crc32), content)
    manifest = manifest_bytes(key=key, dataset_name="street", preimage={}, entries=entries, features={})
    tail, manifest_offset, archive_bytes = tail_bytes(entries, manifest)
    store.put(f"{key}/1/tail", tail)
    name = f"{key}/1/{archive_name('street', 'v1/a', key)}"
    store.compose(name, [*(f"{key}/1/{entry.name}.entry" for entry in entries), f"{key}/1/tail"])

    client = boto3_client(minio_settings)
    downloaded = BytesIO()
    client.download_fileobj(minio_settings.store_bucket, name, downloaded)
    assert len(downloaded.getvalue()) == archive_bytes
    with zipfile.ZipFile(downloaded) as archive:
        assert archive.testzip() is None
        assert archive.read("manifest.json") == manifest
    places = layout(entries)
    for entry, offset in zip(places.entries, places.offsets, strict=True):
        if entry.size_bytes:
            wanted = f"bytes={offset}-{offset + entry.size_bytes - 1}"
            body = client.get_object(Bucket=minio_settings.store_bucket, Key=name, Range=wanted)["Body"].read()
            assert hashlib.sha256(body).hexdigest() == entry.sha256
    assert b"".join(store.read(name, manifest_offset, len(manifest))) == manifest
