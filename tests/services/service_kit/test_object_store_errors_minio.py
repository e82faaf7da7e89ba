"""What a store in a bucket says when a real MinIO server says no: credentials, rights, region, room."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import urllib3
from minio import MinioAdmin
from minio.credentials import StaticProvider

from service_kit.object_store import StoreFull, StoreRefused, StoreUnavailable
from service_kit.object_store_minio import MinioObjectStore
from service_kit.object_store_settings import ObjectStoreSettings
from service_kit.upload_plan import PartLimits

from ...chaos.clock import HOUR_S, Clock, forget_the_dead

if TYPE_CHECKING:
    from tests.conftest import MinioServer

MIB = 1 << 20
LEAST_RIGHTS = ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]


def administrator(server: MinioServer) -> MinioAdmin:
    credentials = StaticProvider(server.access_key, server.secret_key)
    return MinioAdmin(endpoint=server.endpoint.removeprefix("http://"), credentials=credentials, secure=False)


def user_with(server: MinioServer, bucket: str, actions: list[str]) -> dict[str, str]:
    """Make a user who has these rights in the bucket, and return the settings that name the user."""
    name = f"user-{uuid4().hex[:12]}"
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    admin = administrator(server)
    admin.policy_add(name, policy={"Version": "2012-10-17", "Statement": [statement]})
    admin.user_add(name, "user-secret")
    admin.policy_set(name, user=name)
    return {"store_access_key": name, "store_secret_key": "user-secret"}


@pytest.mark.parametrize("setting", ["store_access_key", "store_secret_key"])
def test_wrong_credentials_are_refused_by_the_settings_names(
    minio_server: MinioServer, setting: str, minio_settings: ObjectStoreSettings
) -> None:
    store = MinioObjectStore(minio_server.settings(minio_settings.store_bucket, **{setting: "wrong-value"}))
    for call in (lambda: store.put("a", b"1"), lambda: store.stat("a")):
        with pytest.raises(StoreRefused, match="store_access_key") as caught:
            call()
        assert "wrong-value" not in str(caught.value)


def test_the_rights_that_the_docs_name_are_enough(
    minio_server: MinioServer, minio_settings: ObjectStoreSettings
) -> None:
    bucket = minio_settings.store_bucket
    MinioObjectStore(minio_settings).put("first", b"1")
    user = user_with(minio_server, bucket, LEAST_RIGHTS)
    store = MinioObjectStore(minio_server.settings(bucket, **user, store_create=False), PartLimits(parts=4))
    store.put("a", bytes(6 * MIB))
    store.put("b", bytes(20 * MIB))
    store.compose("c", ["a"] * 7 + ["first"])
    found = store.stat("c")
    assert found
    assert found.size_bytes == 42 * MIB + 1
    assert b"".join(store.read("first", 0, 1)) == b"1"
    url = store.presign("first", 60)
    assert url
    with urllib3.PoolManager() as http:
        assert http.request("GET", url).data == b"1"
    for name in "abc":
        store.delete(name)
    assert [each.name for each in store.list("")] == ["first"]


@pytest.mark.parametrize("missing", LEAST_RIGHTS)
def test_a_missing_right_is_named(minio_server: MinioServer, minio_settings: ObjectStoreSettings, missing: str) -> None:
    bucket = minio_settings.store_bucket
    MinioObjectStore(minio_settings).put("a", bytes(9 * MIB))
    user = user_with(minio_server, bucket, [right for right in LEAST_RIGHTS if right != missing])
    store = MinioObjectStore(minio_server.settings(bucket, **user))
    if missing == "s3:AbortMultipartUpload":
        # Only cleaning up needs it, so nothing that succeeds can miss it.
        store.put("b", bytes(9 * MIB))
        return
    with pytest.raises(StoreRefused, match=missing):
        store.put("b", b"1")
        b"".join(store.read("a", 0, 1))
        store.delete("a")
    if missing == "s3:GetObject":
        with pytest.raises(StoreRefused, match=missing):
            store.compose("c", ["a", "a"])


def test_without_the_right_to_make_the_bucket_it_is_named(minio_server: MinioServer) -> None:
    bucket = f"test-{uuid4().hex}"
    user = user_with(minio_server, bucket, LEAST_RIGHTS)
    with pytest.raises(StoreRefused, match="s3:CreateBucket, or somebody must make the bucket"):
        MinioObjectStore(minio_server.settings(bucket, **user)).put("a", b"1")


def test_a_full_bucket_is_a_full_store(minio_server: MinioServer, minio_settings: ObjectStoreSettings) -> None:
    store = MinioObjectStore(minio_settings)
    store.put("a", bytes(6 * MIB))
    admin = administrator(minio_server)
    admin.bucket_quota_set(minio_settings.store_bucket, 7 * MIB)
    with pytest.raises(StoreFull, match="'b'"):
        store.put("b", bytes(8 * MIB))
    assert [found.name for found in store.list("")] == ["a"]
    admin.bucket_quota_clear(minio_settings.store_bucket)
    store.put("b", bytes(8 * MIB))


def test_a_server_that_does_not_speak_s3_is_said(minio_server: MinioServer) -> None:
    # TLS to a port without it.
    endpoint = minio_server.endpoint.replace("http", "https")
    store = MinioObjectStore(minio_server.settings("bucket", store_endpoint=endpoint))
    with pytest.raises(StoreUnavailable, match=r"no answer from the store https://.*SSL"):
        store.put("a", b"1")


def test_a_port_that_speaks_something_else_is_said(minio_settings: ObjectStoreSettings) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        store = MinioObjectStore(minio_settings.model_copy(update={"store_endpoint": endpoint}))
        try:
            with pytest.raises(StoreUnavailable, match=r"does not answer as S3 does .*is store_endpoint right"):
                store.stat("a")
        finally:
            server.shutdown()


def test_a_wrong_region_is_refused_by_the_settings_name(minio_settings: ObjectStoreSettings) -> None:
    store = MinioObjectStore(minio_settings.model_copy(update={"store_region": "eu-west-1"}))
    with pytest.raises(StoreRefused, match="is not in the region store_region"):
        store.put("a", b"1")


LOOK = """
import json, sys
from service_kit.object_store import ObjectStoreError
from service_kit.object_store_minio import MinioObjectStore
from service_kit.object_store_settings import ObjectStoreSettings
try:
    MinioObjectStore(ObjectStoreSettings(**json.loads(sys.argv[1]))).stat("a")
except ObjectStoreError as error:
    print(type(error).__name__, error)
"""


def test_a_machine_whose_clock_is_wrong_is_told_and_waits(minio_server: MinioServer, tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock")
    clock.set(HOUR_S)
    facts = minio_server.environment("", "bucket")
    settings = json.dumps({name.lower(): value for name, value in facts.items()})
    variables = os.environ | clock.preloaded
    found = subprocess.run(
        [sys.executable, "-c", LOOK, settings], env=variables, capture_output=True, text=True, check=True
    )
    forget_the_dead()
    assert re.match("StoreUnavailable this machine's clock and the store's .* disagree", found.stdout), found
