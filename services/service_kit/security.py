"""How a service guards its door: TLS and tokens beyond this machine, nothing of it on loopback."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

import grpc
from pydantic import BaseModel, ConfigDict, Field

from service_kit.authorization import AuthorizationInterceptor
from service_kit.errors import FailedPrecondition
from service_kit.tls import server_credentials
from service_kit.token_file import TokenFile


class SecuritySettings(BaseModel):
    """A service's settings class inherits these fields; each one is an environment variable with its prefix."""

    model_config = ConfigDict(frozen=True)

    tls_certificate: Annotated[
        Path | None, Field(description="PEM file of the certificate (chain) to show; with it, calls come by TLS only.")
    ] = None
    tls_key: Annotated[Path | None, Field(description="PEM file of the certificate's key.")] = None
    tls_client_ca: Annotated[
        Path | None, Field(description="PEM file of the authority whose certificates callers must show: mutual TLS.")
    ] = None
    tokens: Annotated[
        Path | None, Field(description="File of access tokens; with it, each call must bring one that has the scope.")
    ] = None
    insecure: Annotated[
        bool, Field(description="Answer beyond this machine without TLS and tokens; only in a network you trust.")
    ] = False


@dataclass(frozen=True)
class Security:
    """What `Serving` needs of it; as it is: loopback without ceremony."""

    credentials: grpc.ServerCredentials | None = None
    interceptors: tuple[grpc.aio.ServerInterceptor, ...] = ()


def open_security(settings: SecuritySettings, listen: str, prefix: str) -> Security:
    """Return the guard for an address. Raises `FailedPrecondition` when it is open to others and nothing guards it."""
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise FailedPrecondition(f"{prefix}TLS_CERTIFICATE and {prefix}TLS_KEY belong together: set both, or none")
    if settings.tls_client_ca is not None and settings.tls_certificate is None:
        raise FailedPrecondition(f"{prefix}TLS_CLIENT_CA needs {prefix}TLS_CERTIFICATE and {prefix}TLS_KEY")
    guarded = settings.tls_certificate is not None and settings.tokens is not None
    if not is_loopback(listen) and not guarded and not settings.insecure:
        raise FailedPrecondition(
            f"{prefix}LISTEN: {listen} is beyond this machine, so it needs TLS and tokens: "
            f"set {prefix}TLS_CERTIFICATE, {prefix}TLS_KEY and {prefix}TOKENS (`darkroom up --listen` makes them by "
            f"itself), or in a network that you trust {prefix}INSECURE=true"
        )
    credentials = None
    if settings.tls_certificate is not None and settings.tls_key is not None:
        credentials = server_credentials(settings.tls_certificate, settings.tls_key, settings.tls_client_ca)
    interceptors = (AuthorizationInterceptor(TokenFile(settings.tokens)),) if settings.tokens is not None else ()
    return Security(credentials, interceptors)


def is_of_this_machine(peer: str) -> bool:
    """Whether a caller, as gRPC names it, called over loopback; it may still sit at the other end of a tunnel."""
    kind, _, address = unquote(peer).partition(":")
    return kind == "unix" or is_loopback(address)


def is_loopback(listen: str) -> bool:
    """Whether only this machine can reach HOST:PORT."""
    host = listen.rpartition(":")[0].strip("[]")
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
