"""The runner's calls to the registry, with statuses turned back into meanings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import grpc
import structlog

from darkroom.dataset.v1 import dataset_pb2
from darkroom.handler.v1 import handler_pb2, handler_pb2_grpc
from handler_runner.registry_channel import RegistryChannels, RegistryChannelSettings
from service_kit.errors import Aborted, DarkroomError, Unavailable
from service_kit.logging import current_request_id

log = structlog.get_logger()

Result = TypeVar("Result")

PLAIN = RegistryChannels(RegistryChannelSettings())
# The registry lost the work's row: as good as being fenced out.
_FORGET = (grpc.StatusCode.ABORTED, grpc.StatusCode.NOT_FOUND)
_WRONG = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.OUT_OF_RANGE,
)
_CALL_S = 20.0
_LONGEST_PAUSE_S = 5.0


class RegistryLink:
    """The line to a registry, or to several on one catalogue (``HOST:PORT,HOST:PORT``), tried in turn.

    Raises `Aborted` when another holds the work, `Unavailable` when it is worth calling again, and `DarkroomError`
    when the registry will not have it.
    """

    def __init__(self, address: str, channels: RegistryChannels = PLAIN) -> None:
        self.address = address
        self._addresses = [each.strip() for each in address.split(",")]
        self._channels = [channels.open(each) for each in self._addresses]
        self._token = channels.metadata
        self._stubs = [handler_pb2_grpc.RunnerServiceStub(each) for each in self._channels]
        self._at = 0
        self._answers = True

    @property
    def _stub(self) -> handler_pb2_grpc.RunnerServiceStub:
        return self._stubs[self._at]

    async def claim(
        self, runner: handler_pb2.RunnerDescription, kinds: Sequence[handler_pb2.WorkKind], wait_s: float
    ) -> handler_pb2.Work | None:
        """Return a claimed piece of work, or None when none came within ``wait_s``."""
        request = handler_pb2.ClaimWorkRequest(runner=runner, kinds=kinds)
        request.wait.FromMilliseconds(round(wait_s * 1000))
        response = await self._call(self._stub.ClaimWork(request, timeout=wait_s + _CALL_S, metadata=self._metadata()))
        return response.work if response.HasField("work") else None

    async def heartbeat(
        self,
        work: handler_pb2.Work,
        progress: dataset_pb2.Progress | None,
        text: str,
        text_offset: int,
        timeout_s: float,
    ) -> handler_pb2.HeartbeatResponse:
        """Extend the lease; say how far the work is and what it logged."""
        request = handler_pb2.HeartbeatRequest(
            work=work.name, fence=work.fence, progress=progress, log=text, log_offset=text_offset
        )
        return await self._call(self._stub.Heartbeat(request, timeout=timeout_s, metadata=self._metadata()))

    async def commit_shard(self, work: handler_pb2.Work, shard: handler_pb2.Shard) -> handler_pb2.Shard:
        """Put a shard on record and return the row that stands; waits as long as the registry is away."""
        request = handler_pb2.CommitShardRequest(work=work.name, fence=work.fence, shard=shard)
        response: handler_pb2.CommitShardResponse = await self._insist(
            lambda: self._stub.CommitShard(request, timeout=_CALL_S, metadata=self._metadata())
        )
        return response.shard

    async def list_shards(self, work: handler_pb2.Work) -> list[handler_pb2.Shard]:
        """Return the committed shards; waits as long as the registry is away."""
        shards: list[handler_pb2.Shard] = []
        request = handler_pb2.ListShardsRequest(work=work.name, fence=work.fence)
        while True:
            response = await self._insist(
                lambda: self._stub.ListShards(request, timeout=_CALL_S, metadata=self._metadata())
            )
            shards.extend(response.shards)
            request.page_token = response.next_page_token
            if not request.page_token:
                return shards

    async def finish(self, request: handler_pb2.FinishWorkRequest) -> None:
        """End the work; waits as long as the registry is away."""
        await self._insist(lambda: self._stub.FinishWork(request, timeout=_CALL_S, metadata=self._metadata()))

    async def close(self) -> None:
        """Close every channel."""
        for channel in self._channels:
            await channel.close()

    async def _insist(self, call: Callable[[], Awaitable[Result]]) -> Result:
        pause_s = 0.2
        while True:
            try:
                return await self._call(call())
            except Unavailable:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _call(self, call: Awaitable[Result]) -> Result:
        # The call has begun, on this one.
        at = self._at
        try:
            result = await call
        except grpc.aio.AioRpcError as error:
            raise self._meaning(error, at) from error
        if not self._answers:
            self._answers = True
            log.info("registry_back", registry=self._addresses[at])
        return result

    def _meaning(self, error: grpc.aio.AioRpcError, at: int) -> DarkroomError:
        code, details = error.code(), error.details() or ""
        if code in _FORGET:
            return Aborted(details)
        if code in _WRONG:
            return DarkroomError(f"the registry refused: {code.name}: {details}", reason=code.name)
        # Once per change, or a night without the registry fills the log.
        if self._answers:
            self._answers = False
            log.warning("registry_away", registry=self._addresses[at], code=code.name, details=details)
        if self._at == at:
            self._at = (at + 1) % len(self._addresses)
        return Unavailable(f"the registry at {self._addresses[at]} does not answer: {details}")

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        """Return the token, and the id of whoever caused the work, so that the registry's log has it too."""
        request_id = current_request_id()
        return (*self._token, ("x-request-id", request_id)) if request_id else self._token
