"""One line to a registry, or to replicas, that survives restarts: calls are repeated, streams re-attach."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

import grpc

from darkroom.dataset.v1 import dataset_pb2_grpc
from darkroom_client.channel import open_channel
from darkroom_client.errors import DarkroomError, Unavailable, error_from_rpc
from darkroom_client.fork_check import check_process
from darkroom_client.replicas import Replicas, find_answering
from darkroom_client.request_id import HEADER, new_request_id
from darkroom_client.silence import why_silent

DEFAULT_SERVER = "localhost:50050"
CONTACT_TIMEOUT_S = 5.0
CALL_TIMEOUT_S = 60.0
PATIENCE_S = 600.0


def server_address(server: str | None = None) -> str:
    """Return the registry's address, or several with commas: as given, else ``DARKROOM_SERVER``, else the usual one."""
    return server or os.environ.get("DARKROOM_SERVER") or DEFAULT_SERVER


class Connection:
    """Calls a registry's methods by name, from one event loop."""

    def __init__(self, server: str, patience_s: float = PATIENCE_S) -> None:
        check_process()
        self.server = server
        self.request_id = new_request_id()
        self._metadata = ((HEADER, self.request_id),)
        self._patience_s = patience_s
        self._replicas = Replicas(server, open_channel)
        self._stubs = [dataset_pb2_grpc.DatasetServiceStub(each.channel) for each in self._replicas.all]
        self._contacted = False

    @property
    def answering(self) -> str:
        """The address of the registry that the next call goes to."""
        return self._replicas.current.server

    async def call(self, method: str, request: Any, timeout_s: float = CALL_TIMEOUT_S) -> Any:
        """Return the response to a unary call, tried again for up to ``timeout_s`` while the registry is away."""
        await self.contact()
        deadline, pauses = time.monotonic() + timeout_s, backoff_s()
        while True:
            left_s = max(0.1, deadline - time.monotonic())
            replica = self._replicas.current
            try:
                method_of_replica = getattr(self._stubs[replica.number], method)
                # While another is there to turn to, nobody waits for one that is away.
                return await method_of_replica(
                    request, timeout=left_s, wait_for_ready=self._replicas.single, metadata=self._metadata
                )
            except grpc.aio.AioRpcError as error:
                meaning = error_from_rpc(error, replica.server)
                pause_s = max(next(pauses), meaning.retry_after_s or 0.0)
                if not passing(error, meaning) or time.monotonic() + pause_s > deadline:
                    raise meaning from error
                self._replicas.leave(replica)
            await asyncio.sleep(pause_s)

    async def stream(
        self,
        method: str,
        next_request: Callable[[], Any],
        last: Callable[[Any], bool] | None = None,
    ) -> AsyncGenerator[Any, None]:
        """Yield a stream's messages, called again with ``next_request()`` whenever it breaks.

        ``last`` tells the message after which nothing follows: a stream that ends without one was dropped by a
        server on its way down. Raises `Unavailable` once the registry was away for longer than the patience.
        """
        await self.contact()
        pauses, lost_since_s = backoff_s(), None
        while True:
            meaning: DarkroomError = Unavailable(f"the registry at {self.server} ended the stream early")
            replica = self._replicas.current
            call = getattr(self._stubs[replica.number], method)(next_request(), metadata=self._metadata)
            try:
                async for response in call:
                    pauses, lost_since_s = backoff_s(), None
                    yield response
                    if last is not None and last(response):
                        return
                if last is None:
                    return
            except grpc.aio.AioRpcError as error:
                meaning = error_from_rpc(error, replica.server)
                if not passing(error, meaning):
                    raise meaning from error
            finally:
                call.cancel()
            self._replicas.leave(replica)
            lost_since_s = lost_since_s or time.monotonic()
            if time.monotonic() - lost_since_s > self._patience_s:
                raise Unavailable(f"{meaning}; it stayed away for {self._patience_s:.0f} s") from meaning
            await asyncio.sleep(max(next(pauses), meaning.retry_after_s or 0.0))

    async def close(self) -> None:
        """Close every channel; calls still open end cancelled."""
        for replica in self._replicas.all:
            await replica.channel.close()

    async def contact(self) -> None:
        """Return once the registry has answered for the first time. Raises `Unavailable` when it does not, soon."""
        # Later outages are waited out; a registry that was never there is more likely a mistake, so say so soon.
        if self._contacted:
            return
        if not await find_answering(self._replicas, CONTACT_TIMEOUT_S):
            for replica in self._replicas.all:
                if why := await asyncio.to_thread(why_silent, replica.server):
                    raise Unavailable(why, reason="NOT_BELIEVED")
            raise Unavailable(
                f"no Darkroom registry answers at {self.server}; start one with `darkroom up --raw DIR`, "
                "or name another with --server or DARKROOM_SERVER",
                reason="NO_REGISTRY",
            )
        self._contacted = True


def backoff_s() -> Iterator[float]:
    """Yield pauses of 0.1 s growing to 5 s, with jitter so that many clients do not return at once."""
    ceiling_s = 0.1
    while True:
        yield random.uniform(0.1, ceiling_s)
        ceiling_s = min(5.0, ceiling_s * 2)


def passing(error: Any, meaning: DarkroomError) -> bool:
    """Return whether the same call may work a little later."""
    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
        # Without a hint it is a message that is too large, which it will stay.
        return meaning.retry_after_s is not None
    return error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
