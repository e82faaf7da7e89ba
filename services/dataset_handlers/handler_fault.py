"""A broken promise of a handler's contract, as its author's test reports it."""

from __future__ import annotations


class HandlerFault(AssertionError):
    """The handler breaks its contract; the message says how and what would do."""


def require(holds: bool, fault: str) -> None:
    """Raises `HandlerFault` unless it holds."""
    if not holds:
        raise HandlerFault(fault)
