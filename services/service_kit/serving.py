"""Serves gRPC the way every service does: bounded arguments, health, reflection, a graceful end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from service_kit.admission import AdmissionInterceptor
from service_kit.call_classes import PLACES, CallClass
from service_kit.errors import Unavailable
from service_kit.file_limit import room_for_connections
from service_kit.interceptors import GuardInterceptor
from service_kit.metrics_calls import CallMetricsInterceptor
from service_kit.security import Security
from service_kit.server_arguments import USUAL, ServerArguments

log = structlog.get_logger()

OPEN_DOOR = Security()


class HealthServicer(health.aio.HealthServicer):  # type: ignore[misc]
    """The library's health service, with the `List` that it lacks."""

    async def List(self, request: health_pb2.HealthListRequest, context: object) -> health_pb2.HealthListResponse:
        """Return the status of every service."""
        statuses = {name: health_pb2.HealthCheckResponse(status=status) for name, status in self._server_status.items()}
        return health_pb2.HealthListResponse(statuses=statuses)


class Serving:
    """One service's gRPC server, from its first port to its last call."""

    def __init__(
        self,
        listen: str,
        service_names: Sequence[str],
        register: Callable[[grpc.aio.Server], None],
        security: Security = OPEN_DOOR,
        *,
        metered: bool = False,
        arguments: ServerArguments = USUAL,
        places: Mapping[CallClass, int] = PLACES,
    ) -> None:
        """``register`` adds the servicers; ``service_names`` are their full names, for health and reflection.

        ``metered``: calls are counted and timed. ``places``: how many calls of each class are answered at a time.
        """
        self._listen = listen
        self._names = tuple(service_names)
        self._health = HealthServicer()
        self._credentials = security.credentials
        # Who calls comes first: nothing of a stranger's call is decoded.
        interceptors = [*security.interceptors, AdmissionInterceptor(places), GuardInterceptor()]
        if metered:
            interceptors.insert(0, CallMetricsInterceptor())
        # One connection is one open file.
        bounds = replace(arguments, connections=min(arguments.connections, room_for_connections()))
        self._server = grpc.aio.server(interceptors=interceptors, options=bounds.options())
        register(self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        self.port = 0

    async def start(self, *, ready: bool = True) -> None:
        """Bind and answer; unless ``ready``, health waits for `set_ready`. Raises `Unavailable` for a taken address."""
        try:
            if self._credentials is None:
                self.port = self._server.add_insecure_port(self._listen)
            else:
                self.port = self._server.add_secure_port(self._listen, self._credentials)
        except RuntimeError:
            self.port = 0
        if self.port == 0:
            raise Unavailable(f"cannot listen on {self._listen}: the address is taken or not of this machine")
        await self.set_ready(ready)
        await self._server.start()

    async def set_ready(self, ready: bool) -> None:
        """Say in health whether work is welcome."""
        status = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", *self._names):
            await self._health.set(name, status)

    async def stop(self, grace_s: float = 5.0) -> None:
        """Turn new work away, let running calls end, and close."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace_s)


async def until_signalled() -> None:
    """Return at the first SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
