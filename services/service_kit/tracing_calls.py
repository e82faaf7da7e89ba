"""One span for each call, at the side that answers it and at the side that makes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any

import grpc

from service_kit.tracing import HEADER, Span, span, trace_metadata, tracing_is_on


def server_span(details: grpc.HandlerCallDetails, request_id: str) -> AbstractContextManager[Span]:
    """Return the span of a call that came, below the caller's if it brings one."""
    if not tracing_is_on():
        return span("")
    brought = dict(details.invocation_metadata or ()).get(HEADER, "")
    service, _, method = details.method.lstrip("/").rpartition("/")
    facts = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method, "request_id": request_id}
    return span(f"{service}/{method}", "server", brought if isinstance(brought, str) else "", **facts)


def note_status(call: Span, code: grpc.StatusCode) -> None:
    """Say how a call ended."""
    call.note(**{"rpc.grpc.status_code": int(code.value[0])})
    if code is not grpc.StatusCode.OK:
        call.fail(code.name)


def client_interceptors() -> list[grpc.aio.ClientInterceptor]:
    """Return what a channel needs for the spans of its calls; nothing while nobody asked for any."""
    return [ClientSpans()] if tracing_is_on() else []


class ClientSpans(grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    """A span for each unary call of a channel, which the answering side learns of."""

    async def intercept_unary_unary(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]],
        details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        """Call within a span."""
        name = details.method.decode() if isinstance(details.method, bytes) else details.method
        with span(name.lstrip("/"), "client", **{"rpc.system": "grpc"}) as opened:
            metadata = grpc.aio.Metadata(*(details.metadata or ()), *trace_metadata())
            call = await continuation(details._replace(metadata=metadata), request)
            note_status(opened, await call.code())
            return call
