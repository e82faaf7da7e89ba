"""The runner's own RPCs: proto in, call, proto out."""

from __future__ import annotations

from typing import Any

from google.protobuf import timestamp_pb2

from darkroom.handler.v1 import handler_pb2, handler_pb2_grpc
from handler_runner.runner import HandlerRunner


class HandlerRunnerServicer(handler_pb2_grpc.HandlerRunnerServiceServicer):  # type: ignore[misc]
    """See `HandlerRunnerService` in `darkroom/handler/v1/handler.proto`."""

    def __init__(self, runner: HandlerRunner) -> None:
        self._runner = runner

    async def GetRunner(self, request: handler_pb2.GetRunnerRequest, context: Any) -> handler_pb2.GetRunnerResponse:
        """Say what the runner serves and does."""
        start_time = timestamp_pb2.Timestamp()
        start_time.FromMicroseconds(round(self._runner.start_time_s * 1e6))
        return handler_pb2.GetRunnerResponse(
            runner=await self._runner.describe(), work=self._runner.work, start_time=start_time
        )
