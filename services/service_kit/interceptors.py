"""What every RPC passes through: decoding, a request id, and the one place where errors become statuses."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import structlog

from service_kit.errors import DarkroomError, InvalidArgument, rich_status, status_code
from service_kit.spans_of_time import check_times
from service_kit.tracing import Span
from service_kit.tracing_calls import note_status, server_span

log = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class GuardInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Turns meanings into rich statuses, bugs into `INTERNAL` with an id, bad bytes into `INVALID_ARGUMENT`.

    The text of an unexpected exception stays in the log: grpc.aio by itself would send it to the caller.
    """

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Wrap our own RPCs; health and reflection come from their libraries and keep their own ways."""
        handler = await continuation(details)
        if handler is None or not details.method.startswith("/darkroom."):
            return handler
        request_id = request_id_of(details)
        guard = _Guard(details, request_id, handler.request_deserializer)
        # No deserializer: the guard decodes, so that bytes that are no message become a status of ours.
        match handler.request_streaming, handler.response_streaming:
            case False, False:
                return grpc.unary_unary_rpc_method_handler(
                    guard.unary(handler.unary_unary, guard.decode), response_serializer=handler.response_serializer
                )
            case False, True:
                return grpc.unary_stream_rpc_method_handler(
                    guard.stream(handler.unary_stream, guard.decode), response_serializer=handler.response_serializer
                )
            case True, False:
                return grpc.stream_unary_rpc_method_handler(
                    guard.unary(handler.stream_unary, guard.decode_each),
                    response_serializer=handler.response_serializer,
                )
            case _:
                return grpc.stream_stream_rpc_method_handler(
                    guard.stream(handler.stream_stream, guard.decode_each),
                    response_serializer=handler.response_serializer,
                )


def request_id_of(details: grpc.HandlerCallDetails) -> str:
    """Return the id that the caller gave, or a new one in place of one that does not fit into logs."""
    given = dict(details.invocation_metadata or ()).get("x-request-id", "")
    return given if isinstance(given, str) and _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


class _Guard:
    """One call's guard."""

    def __init__(self, details: grpc.HandlerCallDetails, request_id: str, deserialize: Callable[[bytes], Any]) -> None:
        self._details = details
        self._method = details.method
        self._request_id = request_id
        self._deserialize = deserialize

    def unary(
        self, behaviour: Callable[..., Awaitable[Any]], decode: Callable[[Any], Any]
    ) -> Callable[..., Awaitable[Any]]:
        """Guard a behaviour with one response; ``decode`` takes what grpc hands over, one request or a stream."""

        async def guarded(data: Any, context: grpc.aio.ServicerContext) -> Any:
            with self._bound() as span:
                try:
                    return await behaviour(decode(data), context)
                except Exception as error:
                    await self._fail(error, context, span)

        return guarded

    def stream(
        self, behaviour: Callable[..., AsyncIterator[Any]], decode: Callable[[Any], Any]
    ) -> Callable[..., AsyncIterator[Any]]:
        """Guard a behaviour with a stream of responses."""

        async def guarded(data: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
            with self._bound() as span:
                try:
                    async for response in behaviour(decode(data), context):
                        yield response
                except Exception as error:
                    await self._fail(error, context, span)

        return guarded

    @contextmanager
    def _bound(self) -> Iterator[Span]:
        """Have all that happens within the call logged under its ids."""
        with (
            structlog.contextvars.bound_contextvars(request_id=self._request_id, method=self._method),
            server_span(self._details, self._request_id) as span,
        ):
            yield span
            note_status(span, grpc.StatusCode.OK)

    async def decode_each(self, requests: AsyncIterator[bytes]) -> AsyncIterator[Any]:
        """Yield the messages of a stream of requests."""
        async for data in requests:
            yield self.decode(data)

    def decode(self, data: bytes) -> Any:
        """Return the message, or raise `InvalidArgument`."""
        try:
            message = self._deserialize(data)
        except Exception:
            raise InvalidArgument.of([("request", f"is not a valid message of {self._method}")]) from None
        check_times(message)
        return message

    async def _fail(self, error: Exception, context: grpc.aio.ServicerContext, span: Span) -> None:
        if isinstance(error, grpc.aio.AbortError | asyncio.CancelledError):
            raise error
        if not isinstance(error, DarkroomError):
            error_id = uuid.uuid4().hex[:12]
            log.error("unexpected_error", error_id=error_id, exc_info=error)
            error = DarkroomError(
                f"an internal error, id {error_id}; the service's log has its story",
                reason="INTERNAL",
                metadata={"error_id": error_id},
            )
        note_status(span, status_code(error))
        await context.abort_with_status(rich_status(error))
