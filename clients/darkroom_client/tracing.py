"""Spans for what a command or program calls, if `DARKROOM_TRACES` asks for them; else nothing of it is loaded."""

from __future__ import annotations

import functools
import importlib
import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from darkroom_client.errors import InvalidArgument

VARIABLE = "DARKROOM_TRACES"


class ClientTracing(Protocol):
    """Makes the spans."""

    def command(self, name: str) -> AbstractContextManager[None]:
        """Return a block that is a span, whose calls have it for their parent."""

    def leave(self) -> None:
        """End the command's span and send all: this process becomes another program's."""

    def interceptors(self) -> list[Any]:
        """Return what makes a span of each call of a channel for an event loop."""

    def blocking_interceptors(self) -> list[Any]:
        """Return the same for a channel for threads."""


@functools.cache
def client_tracing() -> ClientTracing | None:
    """Return who makes the spans, or None. Raises `InvalidArgument` for what is no URL, or needs more packages."""
    endpoint = os.environ.get(VARIABLE, "")
    if not endpoint:
        return None
    if not endpoint.startswith(("http://", "https://")):
        raise InvalidArgument(f"{VARIABLE} must be the URL of an OTLP collector, for example http://localhost:4318")
    try:
        technology = importlib.import_module("darkroom_client.tracing_opentelemetry")
    except ImportError:
        raise InvalidArgument(f"{VARIABLE} needs more packages: `pip install darkroom[traces]`") from None
    made: ClientTracing = technology.OpenTelemetryClient(endpoint)
    return made


def command_span(name: str) -> AbstractContextManager[None]:
    """Return a block that is a command's span."""
    tracing = client_tracing()
    return nullcontext() if tracing is None else tracing.command(name)


def leave_command() -> None:
    """Send what is known before this process becomes another program's."""
    tracing = client_tracing()
    if tracing is not None:
        tracing.leave()
