"""Sends an archive to a registry, from its start again when the connection is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc

from darkroom.dataset.v1 import dataset_pb2, dataset_pb2_grpc
from darkroom_client.channel import open_blocking_channel
from darkroom_client.connection import backoff_s, passing
from darkroom_client.errors import InvalidArgument, error_from_rpc
from darkroom_client.replicas import Replicas

CHUNK_BYTES = 1 << 20


class Upload:
    """One archive on its way.

    Blocking: of gRPC's two ways only this one tells the answer reliably that comes before all was sent, because the
    archive is known already, or the store is full.
    """

    def __init__(
        self,
        server: str,
        path: Path,
        header: dataset_pb2.ImportHeader,
        on_upload: Callable[[int, int], None],
        patience_s: float,
    ) -> None:
        self._replicas = Replicas(server, open_blocking_channel)
        self._path, self._header, self._on_upload, self._patience_s = path, header, on_upload, patience_s
        self._stopped = threading.Event()
        self._problem: OSError | None = None
        self._call: Any = None

    def run(self) -> dataset_pb2.ImportDatasetResponse:
        """Return the answer. Waits for a registry that is away; what it says, a full disk for one, rises at once."""
        pauses, deadline = backoff_s(), time.monotonic() + self._patience_s
        try:
            while True:
                replica = self._replicas.current
                self._call = dataset_pb2_grpc.DatasetServiceStub(replica.channel).ImportDataset.future(self._messages())
                try:
                    answer: dataset_pb2.ImportDatasetResponse = self._call.result()
                    return answer
                except grpc.FutureCancelledError:
                    raise InterruptedError("the upload was stopped") from None
                except grpc.RpcError as error:
                    if self._problem is not None:
                        raise InvalidArgument(f"{self._path} cannot be read: {self._problem.strerror}") from error
                    meaning = error_from_rpc(error, replica.server)
                    told = meaning.reason != type(meaning).reason
                    if told or not passing(error, meaning) or time.monotonic() > deadline or self._stopped.is_set():
                        raise meaning from error
                    self._replicas.leave(replica)
                self._stopped.wait(next(pauses))
        finally:
            for replica in self._replicas.all:
                replica.channel.close()

    def stop(self) -> None:
        """End it."""
        self._stopped.set()
        if self._call is not None:
            self._call.cancel()

    def _messages(self) -> Iterator[dataset_pb2.ImportDatasetRequest]:
        yield dataset_pb2.ImportDatasetRequest(header=self._header)
        sent = 0
        try:
            with self._path.open("rb", buffering=0) as file:
                while (chunk := file.read(CHUNK_BYTES)) and not self._stopped.is_set():
                    yield dataset_pb2.ImportDatasetRequest(chunk=chunk)
                    sent += len(chunk)
                    self._on_upload(sent, self._header.size_bytes)
        except OSError as error:
            # gRPC would only say that the call has failed.
            self._problem = error
            raise
