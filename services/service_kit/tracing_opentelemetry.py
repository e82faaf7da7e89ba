"""Spans by OpenTelemetry, sent to a collector by OTLP over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http import trace_exporter as exporter_module
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service_kit.tracing import HEADER, Span

_KINDS = {
    "internal": trace.SpanKind.INTERNAL,
    "server": trace.SpanKind.SERVER,
    "client": trace.SpanKind.CLIENT,
}
_EXPORT_S = 2.0
# A page that is being watched should not wait for long.
_DELAY_MS = 1_000
_W3C = TraceContextTextMapPropagator()


class _NowAndThen(logging.Filter):
    """Lets one line a minute through: a collector that is away for a night must not fill the log."""

    def __init__(self) -> None:
        super().__init__()
        self._next_s = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the line is the minute's first."""
        if record.created < self._next_s:
            return False
        self._next_s = record.created + 60.0
        return True


class OpenTelemetryTracing:
    """See `Tracing`."""

    def __init__(self, endpoint: str, service: str) -> None:
        """``endpoint``: the collector's base URL; spans go to ``/v1/traces`` below it."""
        # Ended by `stop`, not at exit: a service on its way down decides how long it waits.
        self._provider = TracerProvider(resource=Resource({"service.name": service}), shutdown_on_exit=False)
        logging.getLogger(exporter_module.__name__).addFilter(_NowAndThen())
        exporter = exporter_module.OTLPSpanExporter(endpoint.rstrip("/") + "/v1/traces", timeout=_EXPORT_S)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=_DELAY_MS))
        self._tracer = self._provider.get_tracer("darkroom")

    @contextmanager
    def span(self, name: str, kind: str, parent: str, facts: dict[str, str | int]) -> Iterator[Span]:
        """See `Tracing.span`."""
        above = _W3C.extract({HEADER: parent}, context=context.Context()) if parent else None
        with self._tracer.start_as_current_span(
            name,
            context=above,
            kind=_KINDS[kind],
            attributes=facts,
            # An exception's text may hold what no trace should: whoever knows the meaning says it.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield _Span(span)

    def begin(self, name: str, facts: dict[str, str | int]) -> Span:
        """See `Tracing.begin`."""
        span = self._tracer.start_span(name, attributes=facts)
        context.attach(trace.set_span_in_context(span))
        return _Span(span)

    def here(self) -> str:
        """See `Tracing.here`."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier.get(HEADER, "")

    def stop(self) -> None:
        """See `Tracing.stop`."""
        self._provider.force_flush(round(_EXPORT_S * 1000))
        self._provider.shutdown()


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def note(self, **facts: str | int) -> None:
        """See `Span.note`."""
        for name, value in facts.items():
            self._span.set_attribute(name, value)

    def fail(self, why: str) -> None:
        """See `Span.fail`."""
        self._span.set_status(trace.Status(trace.StatusCode.ERROR, why))

    def end(self) -> None:
        """See `Span.end`."""
        self._span.end()
