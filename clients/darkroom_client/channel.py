"""Opens gRPC channels to a server: plain on loopback, by TLS and with a token where `darkroom login` was there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, cast

import grpc

from darkroom.dataset.v1 import dataset_pb2
from darkroom_client.logins import Login, login_of
from darkroom_client.token_channel import TokenChannel
from darkroom_client.tracing import client_tracing

_SERVICE = dataset_pb2.DESCRIPTOR.services_by_name["DatasetService"]
_STREAMS = [method.name for method in _SERVICE.methods if method.server_streaming or method.client_streaming]
# Every unary method of the service may be repeated: requests, definitions and reports carry ids of their own. Streams
# are called again by our own hand: a blocking one that gRPC tries in vain never ends (grpcio 1.85).
SERVICE_CONFIG = {
    "methodConfig": [
        {"name": [{"service": _SERVICE.full_name, "method": method} for method in _STREAMS]},
        {
            "name": [{"service": _SERVICE.full_name}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.1s",
                "maxBackoff": "5s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        },
    ]
}
CHANNEL_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Without it a server that keeps the line open but does not answer has a minute.
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.max_send_message_length", 16 << 20),
    # gRPC's own pauses between connection attempts grow to two minutes; a restarted registry is back in seconds.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
)
# The name in a certificate that Darkroom makes by itself: whoever pinned it need not care what the host is called.
PINNED_NAME = "darkroom"


def open_channel(server: str, more: Iterable[tuple[str, Any]] = ()) -> grpc.aio.Channel:
    """Return a channel for one event loop."""
    login = login_of(server)
    options = [*channel_options(server), *_name_options(login), *more]
    tracing = client_tracing()
    spans = tracing.interceptors() if tracing is not None else None
    if login is None:
        return grpc.aio.insecure_channel(server, options=options, interceptors=spans)
    channel = grpc.aio.secure_channel(server, _credentials(login), options=options, interceptors=spans)
    return cast(grpc.aio.Channel, TokenChannel(channel, login.token)) if login.token else channel


def open_blocking_channel(server: str, more: Iterable[tuple[str, Any]] = ()) -> grpc.Channel:
    """Return a channel for threads."""
    login = login_of(server)
    options = [*channel_options(server), *_name_options(login), *more]
    if login is None:
        channel = grpc.insecure_channel(server, options=options)
    else:
        channel = grpc.secure_channel(server, _credentials(login), options=options)
    tracing = client_tracing()
    if tracing is not None:
        channel = grpc.intercept_channel(channel, *tracing.blocking_interceptors())
    return TokenChannel(channel, login.token) if login is not None and login.token else channel


def channel_options(server: str) -> list[tuple[str, Any]]:
    """Return the gRPC channel options for ``server``."""
    host = server.rpartition(":")[0].strip("[]")
    local = host in ("localhost", "::1") or host.startswith("127.")
    # A proxy named in the environment never leads back to this machine.
    return [*CHANNEL_OPTIONS, *([("grpc.enable_http_proxy", 0)] if local else [])]


def _name_options(login: Login | None) -> list[tuple[str, Any]]:
    return [("grpc.ssl_target_name_override", PINNED_NAME)] if login is not None and login.pinned else []


def _credentials(login: Login) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(login.certificate.encode() if login.certificate else None)
