"""Reads ranges of an archive through the registry, for a store that has no URLs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import grpc

from darkroom.dataset.v1 import dataset_pb2, dataset_pb2_grpc
from darkroom_client.channel import open_blocking_channel
from darkroom_client.connection import passing
from darkroom_client.errors import Unavailable, error_from_rpc
from darkroom_client.replicas import Replicas
from darkroom_client.request_id import HEADER

CALL_TIMEOUT_S = 60.0
REPORT_TIMEOUT_S = 5.0
# With several registries: how often each is asked for a plan, and the pause between two.
PLAN_ROUNDS = 10
PLAN_PAUSE_S = 0.3
# By default a megabyte comes in 64 pieces, each handled by itself.
LARGE_FRAMES = ("grpc.http2.max_frame_size", (1 << 24) - 1)
DATA_TAG = 0x0A  # of `ReadShardResponse.data`, on the wire


class RegistryRanges:
    """The registry's calls about one download, from several threads."""

    def __init__(self, server: str, name: str, request_id: str) -> None:
        self._name = name
        self._metadata = ((HEADER, request_id),)
        self._replicas = Replicas(server, lambda each: open_blocking_channel(each, [LARGE_FRAMES]))
        self._stubs = [dataset_pb2_grpc.DatasetServiceStub(each.channel) for each in self._replicas.all]
        self._read_shard = [
            each.channel.unary_stream(
                "/darkroom.dataset.v1.DatasetService/ReadShard",
                request_serializer=dataset_pb2.ReadShardRequest.SerializeToString,
                response_deserializer=chunk_of,
            )
            for each in self._replicas.all
        ]
        self._open: set[Any] = set()
        self._stopped = threading.Event()

    def plan(self) -> dataset_pb2.GetDownloadPlanResponse:
        """Return a new download plan. Raises as `GetDownloadPlan` says."""
        request = dataset_pb2.GetDownloadPlanRequest(name=self._name)
        for _ in range(PLAN_ROUNDS * len(self._replicas.all)):
            replica = self._replicas.current
            try:
                plan: dataset_pb2.GetDownloadPlanResponse = self._stubs[replica.number].GetDownloadPlan(
                    request,
                    timeout=CALL_TIMEOUT_S,
                    wait_for_ready=self._replicas.single,
                    metadata=self._metadata,
                )
                return plan
            except grpc.RpcError as error:
                meaning = error_from_rpc(error, replica.server)
                if self._replicas.single or not passing(error, meaning):
                    raise meaning from error
                self._replicas.leave(replica)
                self._stopped.wait(PLAN_PAUSE_S)
        raise meaning

    def read(self, offset: int, end: int) -> Iterator[bytes | memoryview]:
        """Yield the bytes from ``offset`` to before ``end``. Raises `Unavailable`: try again; else what is wrong."""
        request = dataset_pb2.ReadShardRequest(name=self._name, offset=offset, size_bytes=end - offset)
        replica = self._replicas.current
        call = self._read_shard[replica.number](request, metadata=self._metadata)
        self._open.add(call)
        try:
            for chunk in call:
                if self._stopped.is_set():
                    return
                yield chunk
        except grpc.RpcError as error:
            meaning = error_from_rpc(error, replica.server)
            if not passing(error, meaning):
                raise meaning from error
            self._replicas.leave(replica)
            raise Unavailable(str(meaning)) from error
        finally:
            self._open.discard(call)
            call.cancel()

    def report(self, download_id: str, size_bytes: int, elapsed_s: float, requester: str) -> None:
        """Count a finished download."""
        request = dataset_pb2.ReportDownloadRequest(
            name=self._name, download_id=download_id, size_bytes=size_bytes, requester=requester
        )
        request.elapsed.FromTimedelta(timedelta(seconds=elapsed_s))
        stub = self._stubs[self._replicas.current.number]
        stub.ReportDownload(request, timeout=REPORT_TIMEOUT_S, metadata=self._metadata)

    def stop(self) -> None:
        """End every read."""
        self._stopped.set()
        for call in list(self._open):
            call.cancel()

    def close(self) -> None:
        """Drop every connection."""
        for replica in self._replicas.all:
            replica.channel.close()


def chunk_of(message: bytes) -> bytes | memoryview:
    """Return the data of an encoded `ReadShardResponse`, without the copy that decoding it would make."""
    if message and message[0] == DATA_TAG:
        length = shift = 0
        for at, byte in enumerate(message[1:11], 1):
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                if at + 1 + length == len(message):
                    return memoryview(message)[at + 1 :]
                break
    # Something else is in it, which this client may not know yet.
    return bytes(dataset_pb2.ReadShardResponse.FromString(message).data)
