"""Answers a call with why not, before anything of it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc

from service_kit.errors import DarkroomError, rich_status


def refusing(handler: grpc.RpcMethodHandler, error: Callable[[], DarkroomError]) -> grpc.RpcMethodHandler:
    """Return a handler of the same kind that answers each call with the error that is right then."""

    async def refuse(_: Any, context: grpc.aio.ServicerContext) -> None:
        await context.abort_with_status(rich_status(error()))

    async def refuse_stream(_: Any, context: grpc.aio.ServicerContext) -> Any:
        await context.abort_with_status(rich_status(error()))
        yield

    match handler.request_streaming, handler.response_streaming:
        case False, False:
            return grpc.unary_unary_rpc_method_handler(refuse)
        case False, True:
            return grpc.unary_stream_rpc_method_handler(refuse_stream)
        case True, False:
            return grpc.stream_unary_rpc_method_handler(refuse)
        case _:
            return grpc.stream_stream_rpc_method_handler(refuse_stream)
