"""Counts and times every RPC that a server answers, under the names of gRFC A66."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import grpc
from prometheus_client import Counter, Histogram

# Those of A66 that tell calls apart here: a page takes milliseconds, a watch hours.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 100, 1000, 10_000)
BYTES = (0, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 268435456, 4294967296)

STARTED = Counter("grpc_server_call_started", "Calls that began.", ["grpc_method"])
DURATION = Histogram(
    "grpc_server_call_duration_seconds",
    "From a call's beginning to its end.",
    ["grpc_method", "grpc_status"],
    buckets=SECONDS,
)
RECEIVED = Histogram(
    "grpc_server_call_rcvd_total_compressed_message_size_bytes",
    "Bytes of a call's requests.",
    ["grpc_method", "grpc_status"],
    buckets=BYTES,
)
SENT = Histogram(
    "grpc_server_call_sent_total_compressed_message_size_bytes",
    "Bytes of a call's responses.",
    ["grpc_method", "grpc_status"],
    buckets=BYTES,
)

_CODES: dict[int, str] = {code.value[0]: code.name for code in grpc.StatusCode}


class CallMetricsInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """The outermost interceptor, which sees refused calls too; health and reflection are not counted."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Wrap one of our own RPCs."""
        handler = await continuation(details)
        if handler is None or not details.method.startswith("/darkroom."):
            return handler
        call = _Call(details.method.removeprefix("/"), handler)
        match handler.request_streaming, handler.response_streaming:
            case False, False:
                return grpc.unary_unary_rpc_method_handler(call.unary(handler.unary_unary, call.received))
            case False, True:
                return grpc.unary_stream_rpc_method_handler(call.stream(handler.unary_stream, call.received))
            case True, False:
                return grpc.stream_unary_rpc_method_handler(call.unary(handler.stream_unary, call.received_each))
            case _:
                return grpc.stream_stream_rpc_method_handler(call.stream(handler.stream_stream, call.received_each))


class _Call:
    """One call as it is counted; it decodes and encodes itself, so that all bytes are known when it ends."""

    def __init__(self, method: str, handler: grpc.RpcMethodHandler) -> None:
        self._method = method
        self._begin_s = time.monotonic()
        self._decode = handler.request_deserializer or _as_it_is
        self._encode = handler.response_serializer or _as_it_is
        self._received_bytes = self._sent_bytes = 0

    def unary(
        self, behaviour: Callable[..., Awaitable[Any]], received: Callable[[Any], Any]
    ) -> Callable[..., Awaitable[bytes]]:
        """Return a behaviour with one response, counting."""

        async def counted(data: Any, context: grpc.aio.ServicerContext) -> bytes:
            with self._until_end(context):
                return self._sent(await behaviour(received(data), context))

        return counted

    def stream(
        self, behaviour: Callable[..., AsyncIterator[Any]], received: Callable[[Any], Any]
    ) -> Callable[..., AsyncIterator[bytes]]:
        """Return a behaviour with a stream of responses, counting."""

        async def counted(data: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
            with self._until_end(context):
                async with aclosing(behaviour(received(data), context)) as responses:  # type: ignore[type-var]
                    async for response in responses:
                        yield self._sent(response)

        return counted

    def received(self, data: bytes) -> Any:
        """Return the request, counted."""
        self._received_bytes += len(data)
        return self._decode(data)

    async def received_each(self, requests: AsyncIterator[bytes]) -> AsyncIterator[Any]:
        """Yield the requests of a stream, counted."""
        async for data in requests:
            yield self.received(data)

    def _sent(self, response: Any) -> bytes:
        data: bytes = self._encode(response)
        self._sent_bytes += len(data)
        return data

    @contextmanager
    def _until_end(self, context: grpc.aio.ServicerContext) -> Iterator[None]:
        # Not when it was intercepted: of a caller who leaves before the request is there nothing more is heard.
        STARTED.labels(self._method).inc()
        status = "OK"
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            # The caller left, or waited no longer.
            status = "CANCELLED"
            raise
        except BaseException:
            status = _CODES.get(_number(context.code()), "UNKNOWN")
            raise
        finally:
            labels = self._method, status
            DURATION.labels(*labels).observe(time.monotonic() - self._begin_s)
            RECEIVED.labels(*labels).observe(self._received_bytes)
            SENT.labels(*labels).observe(self._sent_bytes)


def _as_it_is(data: Any) -> Any:
    return data


def _number(code: Any) -> int:
    return code if isinstance(code, int) else int(code.value[0]) if code is not None else -1
