"""Sends a token with each call of a channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from darkroom_client.errors import InvalidArgument
from darkroom_client.snapshot import Violation

KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class TokenChannel:
    """A channel for an event loop, or one for threads, whose calls carry a token; only ever one by TLS.

    gRPC's own way, `access_token_call_credentials`, has gRPC's threads run Python. A channel for an event loop that is
    closed at such a moment holds Python's lock while it waits for the thread that wants it: both for ever (1.85).
    """

    def __init__(self, channel: Any, token: str) -> None:
        """Raises `InvalidArgument` for what can be no token; gRPC itself would show it in its error."""
        if not can_be_token(token):
            what = "holds characters that no token has; copy it from its beginning to its end"
            raise InvalidArgument(f"the token {what}", [Violation("token", what)])
        self._channel = channel
        self._header = ("authorization", f"Bearer {token}")

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._channel, name)
        if name not in KINDS:
            return found
        return lambda *how, **more: self._with_token(found(*how, **more))

    def _with_token(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def with_token(*request: Any, metadata: Any = (), **more: Any) -> Any:
            return call(*request, metadata=(*(metadata or ()), self._header), **more)

        return with_token


def can_be_token(text: str) -> bool:
    """Return whether a header may hold it: printable ASCII without spaces."""
    return bool(text) and all("!" <= character <= "~" for character in text)
