"""Asks every call for its token, before anything else of the call is looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import grpc
import structlog

from service_kit.errors import DarkroomError, PermissionDenied, Unauthenticated
from service_kit.refusing import refusing
from service_kit.scopes import SCOPE_TEXTS, allows, required_scope
from service_kit.token_file import TokenFile

log = structlog.get_logger()

_SCHEME = "bearer "


class AuthorizationInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Refuses calls without a good token (`UNAUTHENTICATED`) or without the scope (`PERMISSION_DENIED`)."""

    def __init__(self, tokens: TokenFile) -> None:
        self._tokens = tokens

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Let the call through, or answer it with why not."""
        handler = await continuation(details)
        if handler is None:
            return handler
        try:
            self._check(details)
        except DarkroomError as error:
            refusal = error
            log.warning("call_refused", method=details.method, reason=error.reason)
            return refusing(handler, lambda: refusal)
        return handler

    def _check(self, details: grpc.HandlerCallDetails) -> None:
        needed = required_scope(details.method)
        if needed is None:
            return
        metadata = dict(details.invocation_metadata or ())
        header = metadata.get("authorization", "")
        if not isinstance(header, str) or not header.lower().startswith(_SCHEME):
            raise Unauthenticated(
                "this Darkroom asks for a token: `darkroom login HOST:PORT --invite ...` stores one", reason="NO_TOKEN"
            )
        token = self._tokens.verify(header[len(_SCHEME) :].strip())
        if not allows(token.scopes, needed):
            method = details.method.rpartition("/")[2]
            raise PermissionDenied(
                f"{method} needs the scope {needed!r} ({SCOPE_TEXTS[needed]}); the token {token.name!r} has "
                f"{', '.join(token.scopes)}",
                reason="SCOPE",
                metadata={"needed": needed},
            )
