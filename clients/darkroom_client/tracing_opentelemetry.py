"""The client's spans by OpenTelemetry, sent to a collector by OTLP over HTTP.

A program that makes spans of its own with OpenTelemetry finds the calls below them.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from darkroom_client.request_id import HEADER as REQUEST_ID

_EXPORT_S = 2.0
_W3C = TraceContextTextMapPropagator()


class OpenTelemetryClient:
    """See `ClientTracing`."""

    def __init__(self, endpoint: str) -> None:
        """``endpoint``: the collector's base URL; spans go to ``/v1/traces`` below it."""
        self._provider = TracerProvider(resource=Resource({"service.name": "darkroom-client"}), shutdown_on_exit=False)
        # A collector that is away costs the spans, and is no news for who waits for a dataset.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        exporter = OTLPSpanExporter(endpoint.rstrip("/") + "/v1/traces", timeout=_EXPORT_S)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("darkroom")
        self._command: trace.Span = trace.INVALID_SPAN
        atexit.register(self._stop)

    @contextmanager
    def command(self, name: str) -> Iterator[None]:
        """See `ClientTracing.command`."""
        with self._tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as span:
            self._command = span
            yield

    def leave(self) -> None:
        """See `ClientTracing.leave`."""
        self._command.end()
        self._stop()

    def interceptors(self) -> list[Any]:
        """See `ClientTracing.interceptors`."""
        # Not one object: a channel takes each for the first kind that it is.
        return [kind(self.start) for kind in (_UnaryUnary, _UnaryStream, _StreamUnary)]

    def blocking_interceptors(self) -> list[Any]:
        """See `ClientTracing.blocking_interceptors`."""
        return [_BlockingSpans(self.start)]

    def start(self, method: str | bytes, metadata: Any) -> tuple[trace.Span, list[tuple[str, str]]]:
        """Return a call's span, and the call's metadata with it."""
        name = (method.decode() if isinstance(method, bytes) else method).lstrip("/")
        known = list(metadata or ())
        facts = {"rpc.system": "grpc", "request_id": str(dict(known).get(REQUEST_ID, ""))}
        span = self._tracer.start_span(name, kind=trace.SpanKind.CLIENT, attributes=facts)
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, context=trace.set_span_in_context(span, context.get_current()))
        return span, [*known, *carrier.items()]

    def _stop(self) -> None:
        self._provider.force_flush(round(_EXPORT_S * 1000))
        self._provider.shutdown()


Start = Callable[[str | bytes, Any], tuple[trace.Span, list[tuple[str, str]]]]


def _end(span: trace.Span, code: grpc.StatusCode) -> None:
    span.set_attribute("rpc.grpc.status_code", int(code.value[0]))
    if code is not grpc.StatusCode.OK:
        span.set_status(trace.Status(trace.StatusCode.ERROR, code.name))
    span.end()


class _Spans:
    def __init__(self, start: Start) -> None:
        self._start = start
        self._ending: set[asyncio.Task[None]] = set()

    async def _unary(self, continuation: Callable[..., Awaitable[Any]], details: Any, request: Any) -> Any:
        span, metadata = self._start(details.method, details.metadata)
        call = None
        try:
            call = await continuation(details._replace(metadata=grpc.aio.Metadata(*metadata)), request)
            return call
        finally:
            # Before the caller goes on, and perhaps ends.
            _end(span, grpc.StatusCode.CANCELLED if call is None else await call.code())

    async def _stream(self, continuation: Callable[..., Awaitable[Any]], details: Any, request: Any) -> Any:
        span, metadata = self._start(details.method, details.metadata)
        call = await continuation(details._replace(metadata=grpc.aio.Metadata(*metadata)), request)

        async def ended() -> None:
            _end(span, await call.code())

        task = asyncio.create_task(ended())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        return call


class _UnaryUnary(_Spans, grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    intercept_unary_unary = _Spans._unary


class _StreamUnary(_Spans, grpc.aio.StreamUnaryClientInterceptor):  # type: ignore[misc]
    intercept_stream_unary = _Spans._unary


class _UnaryStream(_Spans, grpc.aio.UnaryStreamClientInterceptor):  # type: ignore[misc]
    intercept_unary_stream = _Spans._stream


class _BlockingSpans(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[misc]
    grpc.UnaryStreamClientInterceptor,  # type: ignore[misc]
    grpc.StreamUnaryClientInterceptor,  # type: ignore[misc]
):
    def __init__(self, start: Start) -> None:
        self._start = start

    def _call(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        span, metadata = self._start(details.method, details.metadata)
        call = continuation(details._replace(metadata=metadata), request)
        call.add_done_callback(lambda done: _end(span, done.code()))
        return call

    intercept_unary_unary = _call
    intercept_unary_stream = _call
    intercept_stream_unary = _call
