"""Takes in as many calls of each class as are answered in time; others are told at once when to come again."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any

import grpc

from service_kit.call_classes import CLASSES, PLACES, CallClass
from service_kit.errors import ResourceExhausted, rich_status
from service_kit.refusing import refusing

# Who is turned away comes again after a time between these: the more there are, the later, and not all at once.
SHORTEST_S = 0.5
LONGEST_S = 10.0
_LOOK_S = 0.5


class AdmissionInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Refuses calls beyond their room with `RESOURCE_EXHAUSTED` and `RetryInfo`; what is in no class is not counted."""

    def __init__(self, places: Mapping[CallClass, int] = PLACES) -> None:
        self._rooms = {each: Room(each, count) for each, count in places.items()}
        self._refusals: dict[str, grpc.RpcMethodHandler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Let the call into its room, or answer it with when to come again."""
        call_class = CLASSES.get(details.method)
        room = self._rooms.get(call_class) if call_class else None
        if room is None:
            return await continuation(details)
        if room.full and details.method in self._refusals:
            # The fewer steps a refusal takes, the more is left for those who are in.
            return self._refusals[details.method]
        handler = await continuation(details)
        if handler is None:
            return None
        self._refusals.setdefault(details.method, refusing(handler, room.refusal))
        match handler.request_streaming, handler.response_streaming:
            case False, False:
                return grpc.unary_unary_rpc_method_handler(
                    room.unary(handler.unary_unary), handler.request_deserializer, handler.response_serializer
                )
            case False, True:
                return grpc.unary_stream_rpc_method_handler(
                    room.stream(handler.unary_stream), handler.request_deserializer, handler.response_serializer
                )
            case True, False:
                return grpc.stream_unary_rpc_method_handler(
                    room.unary(handler.stream_unary), handler.request_deserializer, handler.response_serializer
                )
            case _:
                return grpc.stream_stream_rpc_method_handler(
                    room.stream(handler.stream_stream), handler.request_deserializer, handler.response_serializer
                )


class Room:
    """The calls of one class that are in, and how many more it takes."""

    def __init__(self, call_class: CallClass, places: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._class = call_class
        self._places = places
        self._clock = clock
        self.inside = 0
        self._pause_s = SHORTEST_S
        self._looked_s = 0.0
        self._left = self._refused = 0

    @property
    def full(self) -> bool:
        """Whether the next call is turned away."""
        return self.inside >= self._places

    def refusal(self) -> ResourceExhausted:
        """Return what the next one is told."""
        error = ResourceExhausted(
            f"{self.inside} {self._class} calls are being answered, as many as at a time; try again later",
            reason="OVERLOADED",
            metadata={"class": self._class},
        )
        error.retry_after_s = random.uniform(0.5, 1.5) * self._next_pause_s()
        return error

    def unary(self, behaviour: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """Return a behaviour with one response that takes a place while it runs."""

        async def inside(request: Any, context: grpc.aio.ServicerContext) -> Any:
            await self._enter(context)
            try:
                return await behaviour(request, context)
            finally:
                self._leave()

        return inside

    def stream(self, behaviour: Callable[..., AsyncIterator[Any]]) -> Callable[..., AsyncIterator[Any]]:
        """Return a behaviour with a stream of responses that takes a place while it runs."""

        async def inside(request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
            await self._enter(context)
            try:
                async with aclosing(behaviour(request, context)) as responses:  # type: ignore[type-var]
                    async for response in responses:
                        yield response
            finally:
                self._leave()

        return inside

    async def _enter(self, context: grpc.aio.ServicerContext) -> None:
        # Others came in since the interceptor looked.
        if self.full:
            await context.abort_with_status(rich_status(self.refusal()))
        self.inside += 1

    def _leave(self) -> None:
        self.inside -= 1
        self._left += 1

    def _next_pause_s(self) -> float:
        """Return a pause at which about as many come again as places get free: each look corrects the last one."""
        self._refused += 1
        passed_s = self._clock() - self._looked_s
        if passed_s > LONGEST_S:
            self._pause_s = SHORTEST_S
        elif passed_s > _LOOK_S:
            factor = min(2.0, max(0.5, self._refused / max(self._left, 1)))
            self._pause_s = min(LONGEST_S, max(SHORTEST_S, self._pause_s * factor))
        if passed_s > _LOOK_S:
            self._looked_s = self._clock()
            self._left = self._refused = 0
        return self._pause_s
