"""Structured logs: JSON lines for machines, colours for a terminal, one request id across a call."""

from __future__ import annotations

import logging
import sys

import structlog

from service_kit.tracing import add_trace_id


def configure_logging(level: str = "INFO") -> None:
    """Send structlog and the standard library's loggers to stderr, one line an event."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        add_trace_id,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    terminal = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        # Plain: the pretty one prints local variables, secrets among them.
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if terminal
        else structlog.processors.JSONRenderer()
    )
    formatted = shared if terminal else [*shared, structlog.processors.format_exc_info]
    structlog.configure(
        processors=[*formatted, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")


def current_request_id() -> str:
    """Return the id under which the present call or work is logged; empty outside of both."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
