"""Says where time goes, as spans of one trace through all services; unless it is asked for, nothing of it is loaded."""

from __future__ import annotations

import importlib
import os
from collections.abc import MutableMapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from service_kit.errors import FailedPrecondition, InvalidArgument

VARIABLE = "DARKROOM_TRACES"
# The header of W3C's trace context, in gRPC's metadata and beside work that waits in the catalogue.
HEADER = "traceparent"


class Span(Protocol):
    """A stretch of time with a name."""

    def note(self, **facts: str | int) -> None:
        """Add facts to it."""

    def fail(self, why: str) -> None:
        """Say that it ended badly."""

    def end(self) -> None:
        """End it now; only of one that `begin` began."""


class Tracing(Protocol):
    """Makes spans; any thread and task may call."""

    def span(self, name: str, kind: str, parent: str, facts: dict[str, str | int]) -> AbstractContextManager[Span]:
        """Return a block that is a span; what is made within it has it for its parent, in tasks and threads too."""

    def begin(self, name: str, facts: dict[str, str | int]) -> Span:
        """Begin a span that what follows in this task has for its parent, and that its maker ends."""

    def here(self) -> str:
        """Return the present span as a `traceparent`, empty outside of any."""

    def stop(self) -> None:
        """Send what is left; waits seconds at most."""


class _Nothing:
    """What there is while nobody asked."""

    def note(self, **facts: str | int) -> None:
        """Forget them."""

    def fail(self, why: str) -> None:
        """Forget it."""

    def end(self) -> None:
        """Do nothing."""


_NOTHING = _Nothing()
_tracing: Tracing | None = None


def start_tracing(service: str) -> None:
    """Send this process's spans to where the variable says, as those of a service.

    Raises `InvalidArgument` for what is no URL, `FailedPrecondition` where the packages are missing.
    """
    global _tracing
    endpoint = os.environ.get(VARIABLE, "")
    if not endpoint:
        return
    if not endpoint.startswith(("http://", "https://")):
        raise InvalidArgument(f"{VARIABLE} must be the URL of an OTLP collector, for example http://localhost:4318")
    try:
        technology = importlib.import_module("service_kit.tracing_opentelemetry")
    except ImportError:
        raise FailedPrecondition(f"{VARIABLE} needs more packages: `pip install darkroom[traces]`") from None
    _tracing = technology.OpenTelemetryTracing(endpoint, service)


def stop_tracing() -> None:
    """Send what is left."""
    global _tracing
    if _tracing is not None:
        _tracing.stop()
        _tracing = None


def tracing_is_on() -> bool:
    """Whether anybody asked for spans."""
    return _tracing is not None


def span(name: str, kind: str = "internal", parent: str = "", **facts: str | int) -> AbstractContextManager[Span]:
    """Return a block that is a span, below ``parent`` (a `traceparent`) or below the present one.

    ``kind``: internal, or of a call its ``server``'s or its ``client``'s.
    """
    return nullcontext(_NOTHING) if _tracing is None else _tracing.span(name, kind, parent, facts)


def begin_span(name: str, **facts: str | int) -> Span:
    """Begin a span that what follows in this task has for its parent, and that its maker ends."""
    return _NOTHING if _tracing is None else _tracing.begin(name, facts)


def traceparent() -> str:
    """Return the present span as others are told of it; empty: there is none."""
    return "" if _tracing is None else _tracing.here()


def trace_metadata() -> tuple[tuple[str, str], ...]:
    """Return the same as metadata of a call."""
    here = traceparent()
    return ((HEADER, here),) if here else ()


def trace_id_of(parent: str) -> str:
    """Return the trace's id in a `traceparent`; empty for none."""
    return parent.split("-")[1] if parent.count("-") == 3 else ""


def add_trace_id(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Have a log line say in which trace it was written: a processor of structlog."""
    if _tracing is not None and (trace_id := trace_id_of(_tracing.here())):
        event.setdefault("trace_id", trace_id)
    return event
