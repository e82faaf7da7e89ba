"""The failure of whoever cannot make an environment."""

from __future__ import annotations

from handler_runner.failure import FailureClass, WorkFailed


def failed(message: str, detail: str = "") -> WorkFailed:
    """Return the exception; the message says what was wrong and what would do."""
    return WorkFailed(FailureClass.ENVIRONMENT, message, detail=detail)
