"""An object store in a bucket of MinIO, or of any other server that speaks S3."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from minio import Minio
from minio.error import S3Error

from service_kit.multipart_minio import UploadSources, upload
from service_kit.object_store import (
    CHUNK_BYTES,
    ObjectMissing,
    ObjectShort,
    ObjectStat,
    ObjectStoreError,
    StoreRefused,
    StoreUnavailable,
    check_expires,
    check_object_name,
    check_prefix,
    check_range,
    do_nothing,
    is_object_name,
)
from service_kit.object_store_errors_minio import s3_errors
from service_kit.object_store_settings import ObjectStoreSettings
from service_kit.steady_http_minio import SteadyPoolManager
from service_kit.upload_plan import PartLimits, Piece, UploadPart, composed_parts, streamed_parts

_PUT_PARTS_AT_ONCE = 2
_COMPOSE_PARTS_AT_ONCE = 4
_STATS_AT_ONCE = 16
_UPLOAD_ATTEMPTS = 4
_UPLOAD_PAUSE_S = 0.05
# Begins no object's name, so asking for it shows that the bucket answers, and nothing else.
_NO_OBJECT = "-"


class MinioObjectStore:
    """Objects in one bucket, which should hold nothing else. See `ObjectStore` for the promises."""

    def __init__(self, settings: ObjectStoreSettings, limits: PartLimits | None = None) -> None:
        """Ask the server nothing yet: the first call looks for the bucket, and makes it if the settings say so."""
        endpoint = settings.store_endpoint or ""
        self._client = _client(settings, endpoint)
        # Signs only. A signature covers the host, so URLs for others must be signed for the host that they see.
        self._signer = _client(settings, settings.store_public_endpoint or endpoint)
        self._bucket = settings.store_bucket
        self._region = settings.store_region
        self._create = settings.store_create
        self._store = f"{endpoint}/{self._bucket}"
        self._limits = limits or PartLimits()
        self._bucket_seen = False
        self._bucket_lock = threading.Lock()

    def put(self, name: str, *parts: bytes | Path) -> None:
        """See `ObjectStore.put`; more than 8 MiB go up in parts, and the name changes with the last request."""
        check_object_name(name)
        with contextlib.ExitStack() as files:
            descriptors: dict[int, int] = {}
            sizes = []
            for number, part in enumerate(parts):
                if isinstance(part, Path):
                    descriptors[number] = files.enter_context(part.open("rb", buffering=0)).fileno()
                    sizes.append(os.fstat(descriptors[number]).st_size)
                else:
                    sizes.append(len(part))

            def read_into(piece: Piece, view: memoryview) -> None:
                part = parts[piece.source]
                if isinstance(part, Path):
                    _read_file(descriptors[piece.source], part, piece, view)
                else:
                    view[:] = memoryview(part)[piece.offset : piece.offset + piece.size_bytes]

            plan = streamed_parts(sizes, self._limits)
            rights = "s3:PutObject and s3:AbortMultipartUpload"
            self._upload(name, plan, UploadSources(read_into), do_nothing, _PUT_PARTS_AT_ONCE, rights)

    def read(self, name: str, offset: int, size_bytes: int) -> Iterator[bytes]:
        """See `ObjectStore.read`."""
        check_object_name(name)
        check_range(offset, size_bytes)
        return self._read(name, offset, size_bytes)

    def compose(self, name: str, sources: Sequence[str], tick: Callable[[], None] = do_nothing) -> None:
        """See `ObjectStore.compose`; only what is too small to be copied inside the store passes through here."""
        for each in (name, *sources):
            check_object_name(each)
        self._compose(name, sources, self._sizes(sources, tick), tick)

    def stat(self, name: str) -> ObjectStat | None:
        """See `ObjectStore.stat`."""
        check_object_name(name)
        try:
            with self._calling(name, "s3:GetObject"):
                found = self._client.stat_object(self._bucket, name)
        except ObjectMissing:
            return None
        return ObjectStat(name, found.size, found.last_modified.timestamp())

    def list(self, prefix: str) -> Iterator[ObjectStat]:
        """See `ObjectStore.list`."""
        check_prefix(prefix)
        return self._list(prefix)

    def delete(self, name: str) -> None:
        """See `ObjectStore.delete`."""
        check_object_name(name)
        with self._calling(name, "s3:DeleteObject"):
            self._client.remove_object(self._bucket, name)

    def presign(self, name: str, expires_s: int) -> str | None:
        """See `ObjectStore.presign`; asks the server nothing, so a URL may lead to an object that is not there."""
        check_object_name(name)
        check_expires(expires_s)
        file_name = name.rpartition("/")[2]
        headers = {"response-content-disposition": f'attachment; filename="{file_name}"'}
        url: str = self._signer.get_presigned_url(
            "GET", self._bucket, name, expires=timedelta(seconds=expires_s), response_headers=headers
        )
        return url

    def path(self, name: str) -> None:
        """Return None: the objects are the server's."""
        check_object_name(name)

    def remove_leftovers(self, older_than_s: float) -> int:
        """Return 0: MinIO itself forgets uploads that nobody finished within a day; see docs/stores.md for others."""
        return 0

    def _read(self, name: str, offset: int, size_bytes: int) -> Iterator[bytes]:
        if size_bytes == 0:
            # No HTTP range is empty.
            found = self.stat(name)
            if found is None:
                raise ObjectMissing(name)
            if found.size_bytes < offset:
                raise ObjectShort(name, offset, size_bytes, found.size_bytes)
            return
        with self._calling(name, "s3:GetObject"):
            try:
                response = self._client.get_object(self._bucket, name, offset, size_bytes)
            except S3Error as error:
                if error.code == "InvalidRange":
                    raise ObjectShort(name, offset, size_bytes, None) from error
                raise
            try:
                received = int(response.headers["Content-Length"])
                if received < size_bytes:
                    raise ObjectShort(name, offset, size_bytes, offset + received)
                yield from response.stream(CHUNK_BYTES)
            except BaseException:
                # The rest is still on its way: the connection is of no more use.
                response.close()
                raise
            finally:
                response.release_conn()

    def _list(self, prefix: str) -> Iterator[ObjectStat]:
        with self._calling(prefix, "s3:ListBucket"):
            for found in self._client.list_objects(self._bucket, prefix=prefix, recursive=True):
                if is_object_name(found.object_name):
                    yield ObjectStat(found.object_name, found.size, found.last_modified.timestamp())

    def _compose(self, name: str, sources: Sequence[str], sizes: Sequence[int], tick: Callable[[], None]) -> None:
        plan = composed_parts(sizes, self._limits)
        if len(plan) > self._limits.parts:
            self._compose_in_two_levels(name, sources, sizes, tick)
            return

        def read_into(piece: Piece, view: memoryview) -> None:
            for chunk in self._read(sources[piece.source], piece.offset, piece.size_bytes):
                view[: len(chunk)] = chunk
                view = view[len(chunk) :]

        rights = "s3:PutObject, s3:GetObject and s3:AbortMultipartUpload"
        self._upload(name, plan, UploadSources(read_into, sources), tick, _COMPOSE_PARTS_AT_ONCE, rights)
        composed = self.stat(name)
        if composed is None or composed.size_bytes != sum(sizes):
            raise StoreUnavailable(f"{name!r} should have {sum(sizes)} bytes, the store {self._store} has {composed}")

    def _compose_in_two_levels(
        self, name: str, sources: Sequence[str], sizes: Sequence[int], tick: Callable[[], None]
    ) -> None:
        joined: dict[str, int] = {}
        try:
            for start in range(0, len(sources), self._limits.sources):
                group = slice(start, start + self._limits.sources)
                part_name = f"{name}.part-{len(joined)}"
                joined[part_name] = sum(sizes[group])
                self._compose(part_name, sources[group], sizes[group], tick)
            self._compose(name, [*joined], [*joined.values()], tick)
        finally:
            for part_name in joined:
                # The collector finds what could not be deleted now.
                with contextlib.suppress(ObjectStoreError):
                    self.delete(part_name)

    def _upload(
        self,
        name: str,
        plan: Sequence[UploadPart],
        sources: UploadSources,
        tick: Callable[[], None],
        parts_at_once: int,
        rights: str,
    ) -> None:
        for attempt in range(_UPLOAD_ATTEMPTS):
            try:
                with self._calling(name, rights):
                    return upload(self._client, self._bucket, name, plan, sources, tick, parts_at_once)
            except StoreRefused as error:
                # MinIO says this also when a delete empties, and so removes, the object's folder at this instant.
                if error.metadata.get("s3_code") != "AccessDenied" or attempt == _UPLOAD_ATTEMPTS - 1:
                    raise
                time.sleep(_UPLOAD_PAUSE_S)

    def _sizes(self, sources: Sequence[str], tick: Callable[[], None]) -> Sequence[int]:
        """Return the sources' sizes: by listing a folder that has many of them, one by one otherwise."""
        folders: dict[str, set[str]] = {}
        for source in sources:
            folders.setdefault(source.rpartition("/")[0], set()).add(source)
        sizes: dict[str, int] = {}
        with ThreadPoolExecutor(_STATS_AT_ONCE, thread_name_prefix="stat") as pool:
            for folder, names in folders.items():
                if len(names) > _STATS_AT_ONCE:
                    for found in self._list(f"{folder}/" if folder else ""):
                        if found.name in names:
                            sizes[found.name] = found.size_bytes
                tick()
            for found_or_none in pool.map(self.stat, {*sources} - sizes.keys()):
                if found_or_none:
                    sizes[found_or_none.name] = found_or_none.size_bytes
                tick()
        for source in sources:
            if source not in sizes:
                raise ObjectMissing(source)
        return [sizes[source] for source in sources]

    @contextlib.contextmanager
    def _calling(self, name: str, right: str) -> Iterator[None]:
        self._find_bucket()
        with s3_errors(self._store, name, right):
            yield

    def _find_bucket(self) -> None:
        if self._bucket_seen:
            return
        with self._bucket_lock, s3_errors(self._store, "the bucket", "s3:ListBucket"):
            if self._bucket_seen:
                return
            try:
                # Not a HEAD: only an answer with a body says what is wrong with the credentials.
                next(iter(self._client.list_objects(self._bucket, prefix=_NO_OBJECT)), None)
            except S3Error as error:
                if error.code != "NoSuchBucket" or not self._create:
                    raise
                self._make_bucket()
            self._bucket_seen = True

    def _make_bucket(self) -> None:
        with s3_errors(self._store, "the bucket", "s3:CreateBucket, or somebody must make the bucket"):
            try:
                self._client.make_bucket(self._bucket)
            except S3Error as error:
                # Another service was quicker.
                if error.code != "BucketAlreadyOwnedByYou":
                    raise


def _client(settings: ObjectStoreSettings, endpoint: str) -> Minio:
    parts = urlsplit(endpoint)
    return Minio(
        parts.netloc,
        access_key=settings.store_access_key,
        secret_key=settings.secret_key().get_secret_value(),
        secure=parts.scheme == "https",
        # Said here, or the client would ask the server for it, which for the public endpoint it may not reach.
        region=settings.store_region,
        http_client=SteadyPoolManager(settings.store_timeout_s, settings.store_ca_file),
    )


def _read_file(descriptor: int, path: Path, piece: Piece, view: memoryview) -> None:
    offset = piece.offset
    while view:
        read = os.preadv(descriptor, [view], offset)
        if not read:
            raise OSError(f"{path} became shorter while it was read")
        offset += read
        view = view[read:]
