"""The registry's RPCs for runners: proto in, call, proto out."""

from __future__ import annotations

from typing import Any

from darkroom.handler.v1 import handler_pb2, handler_pb2_grpc
from dataset_registry import wire, wire_runner
from dataset_registry.dispatch import Dispatch
from dataset_registry.listing import page, token
from service_kit.errors import InvalidArgument

MAX_SHARDS = 10_000


class RunnerServicer(handler_pb2_grpc.RunnerServiceServicer):  # type: ignore[misc]
    """See `RunnerService` in `darkroom/handler/v1/handler.proto`."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch

    async def ClaimWork(self, request: handler_pb2.ClaimWorkRequest, context: Any) -> handler_pb2.ClaimWorkResponse:
        """Hand out work."""
        kinds = {wire_runner.kind_name(kind) for kind in request.kinds}
        work = await self._dispatch.claim(
            wire_runner.runner_value(request.runner), kinds, request.wait.ToMilliseconds() / 1e3
        )
        return handler_pb2.ClaimWorkResponse(
            work=wire_runner.work_message(work, self._dispatch.lease_s) if work else None
        )

    async def Heartbeat(self, request: handler_pb2.HeartbeatRequest, context: Any) -> handler_pb2.HeartbeatResponse:
        """Extend a lease."""
        progress = wire.as_json(request.progress) if request.HasField("progress") else None
        pulse = await self._dispatch.heartbeat(request.work, request.fence, progress, request.log, request.log_offset)
        directive = handler_pb2.DIRECTIVE_CONTINUE if pulse.go_on else handler_pb2.DIRECTIVE_STOP
        response = handler_pb2.HeartbeatResponse(directive=directive)
        response.lease.FromMilliseconds(round(pulse.lease_s * 1000))
        return response

    async def CommitShard(
        self, request: handler_pb2.CommitShardRequest, context: Any
    ) -> handler_pb2.CommitShardResponse:
        """Record a shard."""
        shard = await self._dispatch.commit_shard(request.work, request.fence, wire_runner.shard_value(request.shard))
        return handler_pb2.CommitShardResponse(shard=wire_runner.shard_message(shard))

    async def ListShards(self, request: handler_pb2.ListShardsRequest, context: Any) -> handler_pb2.ListShardsResponse:
        """List committed shards."""
        size = min(max(request.page_size, 0) or MAX_SHARDS, MAX_SHARDS)
        after = shard_place(request.page_token)
        shards = await self._dispatch.list_shards(request.work, request.fence, after, size + 1)
        behind = token([shards[size - 1].split, shards[size - 1].index]) if len(shards) > size else ""
        return handler_pb2.ListShardsResponse(
            shards=[wire_runner.shard_message(shard) for shard in shards[:size]], next_page_token=behind
        )

    async def FinishWork(self, request: handler_pb2.FinishWorkRequest, context: Any) -> handler_pb2.FinishWorkResponse:
        """End work."""
        match request.WhichOneof("result"):
            case "failure":
                await self._dispatch.fail(request.work, request.fence, wire.failure_value(request.failure))
            case "release":
                await self._dispatch.release(request.work, request.fence, request.release.reason)
            case _:
                await self._dispatch.finish(request.work, request.fence, wire_runner.result_value(request))
        return handler_pb2.FinishWorkResponse()


def shard_place(page_token: str) -> tuple[str, int] | None:
    """Return the place that a page token stands for. Raises `InvalidArgument`."""
    match page(0, page_token).after:
        case None:
            return None
        case [str(split), int(index)]:
            return split, index
        case _:
            raise InvalidArgument.of([("page_token", "is of another list")])
