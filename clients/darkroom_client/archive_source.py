"""Where an archive's bytes come from: its URL in the object store, or the registry for a store that has no URLs."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, NoReturn

import grpc
import urllib3

from darkroom.dataset.v1 import dataset_pb2, dataset_pb2_grpc
from darkroom_client.connection import PATIENCE_S, backoff_s, channel_options, passing
from darkroom_client.errors import DataLoss, FailedPrecondition, Unavailable, error_from_rpc
from darkroom_client.snapshot import DatasetSnapshot
from darkroom_client.snapshot_proto import dataset_snapshot

CHUNK_BYTES = 1 << 20
CALL_TIMEOUT_S = 60.0
# A store that sends nothing for so long is asked again.
SILENCE_S = 30.0
# A URL younger than this cannot have expired.
FRESH_S = 1.0


@dataclass(frozen=True)
class DownloadPlan:
    """A ready dataset, the URL of its archive (empty: read through the registry), and where its manifest lies."""

    dataset: DatasetSnapshot
    url: str
    manifest_offset: int
    manifest_size_bytes: int
    made_s: float = field(default_factory=time.monotonic)

    @property
    def age_s(self) -> float:
        """Seconds since the registry gave it."""
        return time.monotonic() - self.made_s


class Stopped(Exception):
    """The caller no longer wants the bytes."""


class ArchiveSource:
    """Reads ranges of one dataset's archive from several threads, through broken connections and expired URLs."""

    def __init__(self, server: str, name: str, *, patience_s: float = PATIENCE_S) -> None:
        self.name = name
        self.stopped = threading.Event()
        self.received_bytes = 0
        self.waiting_for = ""
        self._server = server
        self._patience_s = patience_s
        self._channel = grpc.insecure_channel(server, options=channel_options(server))
        self._stub = dataset_pb2_grpc.DatasetServiceStub(self._channel)
        self._pool = urllib3.PoolManager(maxsize=16, retries=False, timeout=urllib3.Timeout(5.0, SILENCE_S))
        self._lock = threading.Lock()
        self._interrupts: set[Callable[[], object]] = set()
        self._plan: DownloadPlan | None = None

    def plan(self, instead_of: DownloadPlan | None = None) -> DownloadPlan:
        """Return the download plan, a new one when the present one is ``instead_of``."""
        with self._lock:
            if self._plan is None or self._plan is instead_of:
                message = self._call("GetDownloadPlan", dataset_pb2.GetDownloadPlanRequest(name=self.name))
                self._plan = DownloadPlan(
                    dataset_snapshot(message.dataset), message.url, message.manifest_offset, message.manifest_size_bytes
                )
            return self._plan

    def read(self, offset: int, size_bytes: int) -> Iterator[bytes]:
        """Yield exactly the range, in chunks of at most 1 MiB.

        A connection that breaks is opened again where it broke. Raises `Unavailable` when nothing came for as long
        as the patience lasts, `DataLoss` when the archive is gone or short, `Stopped`.
        """
        position, end = offset, offset + size_bytes
        pauses, lost_since_s = backoff_s(), None
        while position < end:
            plan = self.plan()
            chunks = self._read_url(plan, position, end) if plan.url else self._read_registry(position, end - position)
            try:
                for chunk in chunks:
                    if self.stopped.is_set():
                        raise Stopped
                    pauses, lost_since_s, self.waiting_for = backoff_s(), None, ""
                    chunk = chunk[: end - position]
                    position += len(chunk)
                    with self._lock:
                        self.received_bytes += len(chunk)
                    yield chunk
                broken = Unavailable("the connection ended early")
            except (Unavailable, urllib3.exceptions.HTTPError) as error:
                broken = Unavailable(f"the archive of {self.name} cannot be read: {error}")
            if position < end:
                self.waiting_for = str(broken)
                lost_since_s = lost_since_s or time.monotonic()
                if time.monotonic() - lost_since_s > self._patience_s:
                    raise broken
                if self.stopped.wait(next(pauses)):
                    raise Stopped

    def report(self, download_id: str, elapsed_s: float, requester: str) -> None:
        """Count the finished download at the registry."""
        request = dataset_pb2.ReportDownloadRequest(
            name=self.name, download_id=download_id, size_bytes=self.received_bytes, requester=requester
        )
        request.elapsed.FromTimedelta(timedelta(seconds=elapsed_s))
        self._stub.ReportDownload(request, timeout=5.0)

    def stop(self) -> None:
        """Make every read end with `Stopped`, those too that wait for a silent store."""
        self.stopped.set()
        for interrupt in list(self._interrupts):
            interrupt()

    def close(self) -> None:
        """Drop all connections."""
        self._channel.close()
        self._pool.clear()

    def _refused(self, status: int, plan: DownloadPlan) -> NoReturn:
        if status == 403 and plan.age_s > FRESH_S:
            self.plan(instead_of=plan)
            raise Unavailable("its URL expired")
        if status == 403:
            raise FailedPrecondition(
                f"the store refuses the URL of {self.name} (403): do the clocks agree, and is the store's "
                "public endpoint the address that this machine sees?"
            )
        if status in (404, 410, 416):
            raise DataLoss(f"the archive of {self.name} is gone or short: request the dataset again")
        if status == 429 or status >= 500:
            raise Unavailable(f"the store answered {status}")
        raise FailedPrecondition(f"the store answered {status} to a range of {self.name}'s archive; 206 was expected")

    def _call(self, method: str, request: Any) -> Any:
        try:
            return getattr(self._stub, method)(request, timeout=CALL_TIMEOUT_S, wait_for_ready=True)
        except grpc.RpcError as error:
            raise error_from_rpc(error, self._server) from error

    def _read_registry(self, offset: int, size_bytes: int) -> Iterator[bytes]:
        request = dataset_pb2.ReadShardRequest(name=self.name, offset=offset, size_bytes=size_bytes)
        call = self._stub.ReadShard(request)
        self._interrupts.add(call.cancel)
        try:
            for response in call:
                yield response.data
        except grpc.RpcError as error:
            meaning = error_from_rpc(error, self._server)
            raise (Unavailable(str(meaning)) if passing(error, meaning) else meaning) from error
        finally:
            self._interrupts.discard(call.cancel)
            call.cancel()

    def _read_url(self, plan: DownloadPlan, offset: int, end: int) -> Iterator[bytes]:
        headers = {"Range": f"bytes={offset}-{end - 1}", "Accept-Encoding": "identity"}
        response = self._pool.request("GET", plan.url, headers=headers, preload_content=False)
        interrupt = partial(shut, response)
        self._interrupts.add(interrupt)
        try:
            if response.status != 206:
                self._refused(response.status, plan)
            while chunk := response.read(CHUNK_BYTES):
                yield chunk
        finally:
            self._interrupts.discard(interrupt)
            # A connection with unread bytes cannot be used again.
            response.close() if response.length_remaining else response.release_conn()


def shut(response: urllib3.BaseHTTPResponse) -> None:
    """Wake the thread that waits for more of the response."""
    connection = response.connection
    if connection is not None and connection.sock is not None:  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]
