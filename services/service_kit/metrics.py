"""Shows a service's metrics to Prometheus, over plain HTTP, at an address of their own."""

from __future__ import annotations

import errno
import threading
from typing import Annotated
from wsgiref.simple_server import WSGIServer

import structlog
from prometheus_client import REGISTRY, disable_created_metrics, start_http_server
from pydantic import BaseModel, ConfigDict, Field

from service_kit.errors import FailedPrecondition, InvalidArgument, Unavailable
from service_kit.security import is_loopback

log = structlog.get_logger()

# A second line for each counter that says only when its process began.
disable_created_metrics()  # type: ignore[no-untyped-call]


class MetricsSettings(BaseModel):
    """A service's settings class inherits these fields; each one is an environment variable with its prefix."""

    model_config = ConfigDict(frozen=True)

    metrics_listen: Annotated[
        str, Field(description="Address at which Prometheus reads metrics over HTTP, HOST:PORT; empty: they are off.")
    ] = ""
    metrics_insecure: Annotated[
        bool, Field(description="Show metrics beyond this machine, without TLS and tokens; in a network you trust.")
    ] = False


class MetricsPage:
    """The metrics at their address, from `start` to `stop`; nothing at all without an address."""

    def __init__(self, settings: MetricsSettings, prefix: str) -> None:
        """Raises `FailedPrecondition` for an address that is open to others unless that is meant, `InvalidArgument`."""
        self._listen = settings.metrics_listen
        self._variable = f"{prefix}METRICS_LISTEN"
        self._server: WSGIServer | None = None
        self._thread: threading.Thread | None = None
        if self._listen and not is_loopback(self._listen) and not settings.metrics_insecure:
            raise FailedPrecondition(
                f"{self._variable}: {self._listen} is beyond this machine, and metrics are shown to whoever asks: "
                f"set it to localhost:PORT, or in a network that you trust {prefix}METRICS_INSECURE=true"
            )
        self._host, _, port = self._listen.rpartition(":")
        if self._listen and not (self._host and port.isdecimal() and int(port) < 2**16):
            raise InvalidArgument(f"{self._variable} must be HOST:PORT, for example localhost:9464, not {self._listen}")
        self._port = int(port or 0)

    @property
    def on(self) -> bool:
        """Whether anybody can read them."""
        return bool(self._listen)

    @property
    def port(self) -> int:
        """The port that it answers at; 0 while it does not."""
        return int(self._server.server_port) if self._server is not None else 0

    def start(self) -> None:
        """Bind and answer. Raises `Unavailable` for a taken address."""
        if self.on:
            try:
                self._server, self._thread = start_http_server(self._port, self._host.strip("[]"), REGISTRY)
            except OSError as error:
                what = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
                raise Unavailable(f"{self._variable}: {self._listen} {what}; another port would do") from None
            log.info("metrics_shown", listen=self._listen, port=self.port)

    def stop(self) -> None:
        """Close the address."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None
