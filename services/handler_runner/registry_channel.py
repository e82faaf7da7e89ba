"""Opens the runner's channel to the registry: plain on one machine, by TLS and with a token between two."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import grpc
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from service_kit.errors import FailedPrecondition
from service_kit.server_arguments import MAX_MESSAGE_BYTES
from service_kit.tls import channel_credentials
from service_kit.tracing_calls import client_interceptors

_CHANNEL_ARGUMENTS = (
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Without it a server that keeps the line open but does not answer has a minute.
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
)


class RegistryChannelSettings(BaseModel):
    """The runner's settings class inherits these fields: how it calls a registry on another machine."""

    model_config = ConfigDict(frozen=True)

    registry_tls: Annotated[
        bool, Field(description="Call the registry by TLS; so it is, too, when one of the next four is set.")
    ] = False
    registry_ca: Annotated[
        Path | None, Field(description="PEM file of what the registry's certificate must come from; else the system's.")
    ] = None
    registry_host_name: Annotated[
        str, Field(description="Name that the registry's certificate must show; empty: the host in the address.")
    ] = ""
    registry_client_certificate: Annotated[
        Path | None, Field(description="PEM file of the runner's own certificate, where the registry wants mutual TLS.")
    ] = None
    registry_client_key: Annotated[Path | None, Field(description="PEM file of that certificate's key.")] = None
    registry_token: Annotated[
        SecretStr | None, Field(description="Access token with the scope `run`; registry_token_file keeps it safer.")
    ] = None
    registry_token_file: Annotated[Path | None, Field(description="File with the access token.")] = None


class RegistryChannels:
    """Opens channels as the settings say. Raises `FailedPrecondition` for files that cannot be read."""

    def __init__(self, settings: RegistryChannelSettings) -> None:
        self._options = list(_CHANNEL_ARGUMENTS)
        self._credentials: grpc.ChannelCredentials | None = None
        self.metadata: tuple[tuple[str, str], ...] = ()
        """What each call must carry. gRPC's own `access_token_call_credentials` has gRPC's threads run Python: a
        channel that is closed at such a moment hangs for ever (1.85)."""
        certificates = (settings.registry_ca, settings.registry_client_certificate, settings.registry_client_key)
        token = _token(settings)
        if not all("!" <= character <= "~" for character in token):
            raise FailedPrecondition(
                "DARKROOM_RUNNER_REGISTRY_TOKEN, or the file of it, holds characters that no token has; "
                "`python -m service_kit.tokens create` prints one"
            )
        if not (settings.registry_tls or token or any(certificates)):
            return
        self._credentials = channel_credentials(*certificates)
        if token:
            self.metadata = (("authorization", f"Bearer {token}"),)
        if settings.registry_host_name:
            self._options.append(("grpc.ssl_target_name_override", settings.registry_host_name))  # type: ignore[arg-type]

    def open(self, address: str) -> grpc.aio.Channel:
        """Return a channel to HOST:PORT."""
        if self._credentials is None:
            return grpc.aio.insecure_channel(address, options=self._options, interceptors=client_interceptors())
        return grpc.aio.secure_channel(
            address, self._credentials, options=self._options, interceptors=client_interceptors()
        )


def _token(settings: RegistryChannelSettings) -> str:
    if settings.registry_token_file is None:
        return settings.registry_token.get_secret_value() if settings.registry_token else ""
    try:
        return settings.registry_token_file.read_text().strip()
    except OSError as error:
        raise FailedPrecondition(
            f"DARKROOM_RUNNER_REGISTRY_TOKEN_FILE: {settings.registry_token_file} cannot be read: {error.strerror}"
        ) from None
