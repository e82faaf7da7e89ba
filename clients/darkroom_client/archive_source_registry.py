"""Reads ranges of an archive through the registry, for a store that has no URLs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import grpc

from darkroom.dataset.v1 import dataset_pb2, dataset_pb2_grpc
from darkroom_client.connection import channel_options, passing
from darkroom_client.errors import Unavailable, error_from_rpc

CALL_TIMEOUT_S = 60.0
REPORT_TIMEOUT_S = 5.0


class RegistryRanges:
    """The registry's calls about one download, from several threads."""

    def __init__(self, server: str, name: str) -> None:
        self._server = server
        self._name = name
        self._channel = grpc.insecure_channel(server, options=channel_options(server))
        self._stub = dataset_pb2_grpc.DatasetServiceStub(self._channel)
        self._open: set[Any] = set()
        self._stopped = threading.Event()

    def plan(self) -> dataset_pb2.GetDownloadPlanResponse:
        """Return a new download plan. Raises as `GetDownloadPlan` says."""
        request = dataset_pb2.GetDownloadPlanRequest(name=self._name)
        try:
            plan: dataset_pb2.GetDownloadPlanResponse = self._stub.GetDownloadPlan(
                request, timeout=CALL_TIMEOUT_S, wait_for_ready=True
            )
        except grpc.RpcError as error:
            raise error_from_rpc(error, self._server) from error
        return plan

    def read(self, offset: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from ``offset`` to before ``end``. Raises `Unavailable`: try again; else what is wrong."""
        request = dataset_pb2.ReadShardRequest(name=self._name, offset=offset, size_bytes=end - offset)
        call = self._stub.ReadShard(request)
        self._open.add(call)
        try:
            for response in call:
                if self._stopped.is_set():
                    return
                yield response.data
        except grpc.RpcError as error:
            meaning = error_from_rpc(error, self._server)
            raise (Unavailable(str(meaning)) if passing(error, meaning) else meaning) from error
        finally:
            self._open.discard(call)
            call.cancel()

    def report(self, download_id: str, size_bytes: int, elapsed_s: float, requester: str) -> None:
        """Count a finished download."""
        request = dataset_pb2.ReportDownloadRequest(
            name=self._name, download_id=download_id, size_bytes=size_bytes, requester=requester
        )
        request.elapsed.FromTimedelta(timedelta(seconds=elapsed_s))
        self._stub.ReportDownload(request, timeout=REPORT_TIMEOUT_S)

    def stop(self) -> None:
        """End every read."""
        self._stopped.set()
        for call in list(self._open):
            call.cancel()

    def close(self) -> None:
        """Drop the connection."""
        self._channel.close()
