"""Uploads one S3 object in parts, several at a time, and says meanwhile that it is alive.

minio's own `compose_object` looks at and copies one source after the other, knows no bytes that are in no object, and
tells nobody how far it is. So the requests of a multipart upload are made here, through the client's methods for them,
which it keeps to itself: the contract suite notices if one changes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from urllib.parse import quote

from minio import Minio
from minio.datatypes import Part
from urllib3.exceptions import HTTPError

from service_kit.object_store import StoreUnavailable
from service_kit.upload_plan import Piece, UploadPart

_PIECES_AT_ONCE = 16
_TICK_S = 1.0


@dataclass(frozen=True)
class UploadSources:
    """Where the pieces come from: `read_into` fills a view with one; `names` are the sources' objects, if any."""

    read_into: Callable[[Piece, memoryview], None]
    names: Sequence[str] = ()


def upload(
    client: Minio,
    bucket: str,
    name: str,
    parts: Sequence[UploadPart],
    sources: UploadSources,
    tick: Callable[[], None],
    parts_at_once: int,
) -> None:
    """Make the object of the parts, in their order. Until the last request nobody sees anything of it.

    `tick` is called in this thread, after each part and once a second; what it raises ends the upload.
    """
    if len(parts) <= 1 and not any(part.copied for part in parts):
        with _pool(_PIECES_AT_ONCE, "piece") as pieces:
            body = _bytes_of(parts[0], sources, pieces) if parts else b""
        client._put_object(bucket, name, body, {"Content-Type": "application/octet-stream"})
        tick()
        return
    upload_id = client._create_multipart_upload(bucket, name, {})
    try:
        # In this order: an error drops the pieces first, so a part that waits for them ends too.
        with _pool(parts_at_once, "part") as uploads, _pool(_PIECES_AT_ONCE, "piece") as pieces:
            waiting = {
                uploads.submit(_upload_part, client, bucket, name, upload_id, number, part, sources, pieces)
                for number, part in enumerate(parts, start=1)
            }
            done = list(_finished(waiting, tick))
        client._complete_multipart_upload(bucket, name, upload_id, sorted(done, key=lambda part: part.part_number))
    except BaseException as error:
        # A store that does not answer would not answer this either; MinIO itself forgets the upload after a day.
        if not isinstance(error, (HTTPError, StoreUnavailable)):
            with contextlib.suppress(Exception):
                client._abort_multipart_upload(bucket, name, upload_id)
        raise


def _finished(waiting: set[Future[Part]], tick: Callable[[], None]) -> Iterator[Part]:
    while waiting:
        finished, waiting = wait(waiting, timeout=_TICK_S, return_when=FIRST_COMPLETED)
        for each in finished:
            yield each.result()
            tick()
        if not finished:
            tick()


def _upload_part(
    client: Minio,
    bucket: str,
    name: str,
    upload_id: str,
    number: int,
    part: UploadPart,
    sources: UploadSources,
    pool: ThreadPoolExecutor,
) -> Part:
    if not part.copied:
        body = _bytes_of(part, sources, pool)
        return Part(number, client._upload_part(bucket, name, body, None, upload_id, number))
    [piece] = part.pieces
    headers = {
        "x-amz-copy-source": quote(f"/{bucket}/{sources.names[piece.source]}"),
        "x-amz-copy-source-range": f"bytes={piece.offset}-{piece.offset + piece.size_bytes - 1}",
    }
    etag, _ = client._upload_part_copy(bucket, name, upload_id, number, headers)
    return Part(number, etag)


def _bytes_of(part: UploadPart, sources: UploadSources, pool: ThreadPoolExecutor) -> bytearray:
    body = bytearray(part.size_bytes)
    view = memoryview(body)
    views = []
    for piece in part.pieces:
        views.append(view[: piece.size_bytes])
        view = view[piece.size_bytes :]
    for _ in pool.map(sources.read_into, part.pieces, views):
        pass
    return body


@contextlib.contextmanager
def _pool(threads: int, name: str) -> Iterator[ThreadPoolExecutor]:
    """Yield a thread pool; at the end what it has not begun is dropped, and what it has begun is waited for."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
