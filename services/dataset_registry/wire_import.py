"""Turns the stream of messages that brings an archive into its header and its bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator

from darkroom.dataset.v1 import dataset_pb2 as pb
from dataset_registry.importing import Arrival
from service_kit.errors import InvalidArgument

MAX_CHUNK_BYTES = 1 << 20


async def arrival_and_chunks(requests: AsyncIterator[pb.ImportDatasetRequest]) -> tuple[Arrival, AsyncIterator[bytes]]:
    """Return what the first message says, and the bytes of the others. Raises `InvalidArgument`."""
    async for first in requests:
        if first.WhichOneof("part") != "header":
            break
        header = first.header
        arrival = Arrival(header.file_name, header.size_bytes, header.requester, header.sha256)
        return arrival, _chunks(requests)
    raise InvalidArgument.of([("header", "must be the first message")])


async def _chunks(requests: AsyncIterator[pb.ImportDatasetRequest]) -> AsyncIterator[bytes]:
    async for request in requests:
        if request.WhichOneof("part") != "chunk" or not 0 < len(request.chunk) <= MAX_CHUNK_BYTES:
            raise InvalidArgument.of([("chunk", f"must follow the header, each with 1 to {MAX_CHUNK_BYTES} bytes")])
        yield request.chunk
