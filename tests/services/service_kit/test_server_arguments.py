"""Each of the server's bounds by its effect, shortened: grpcio ignores a wrong name without a word."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import grpc
import pytest

from darkroom.handler.v1 import handler_pb2, handler_pb2_grpc
from service_kit.file_limit import OTHER_FILES, raise_file_limit, room_for_connections
from service_kit.server_arguments import USUAL, ServerArguments
from service_kit.serving import Serving

# What a client says first: that it speaks HTTP/2, and its settings, none.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
# The beginning of a call's headers, of which 100 bytes are promised.
HALF_HEADERS = b"\x00\x00\x64\x01\x04\x00\x00\x00\x01abc"
PING, GOAWAY = 6, 7
# All bounds are below 4 s here, so what is there after so long stays.
PATIENCE_S = 60.0


class Servicer(handler_pb2_grpc.HandlerRunnerServiceServicer):  # type: ignore[misc]
    """Answers with the caller's address, when it may."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.size_bytes = 0

    async def GetRunner(self, request, context):  # type: ignore[no-untyped-def]
        await self.may_answer.wait()
        return handler_pb2.GetRunnerResponse(work=[context.peer(), "x" * self.size_bytes])


@asynccontextmanager
async def served(arguments: ServerArguments) -> AsyncIterator[tuple[Servicer, str]]:
    servicer = Servicer()
    serving = Serving(
        "127.0.0.1:0",
        [],
        lambda server: handler_pb2_grpc.add_HandlerRunnerServiceServicer_to_server(servicer, server),
        arguments=arguments,
    )
    await serving.start()
    try:
        yield servicer, f"127.0.0.1:{serving.port}"
    finally:
        await serving.stop(0.1)


@asynccontextmanager
async def called(address: str, **options: int) -> AsyncIterator[handler_pb2_grpc.HandlerRunnerServiceStub]:
    # A pool of its own: else channels to one address share one connection.
    chosen = [("grpc.use_local_subchannel_pool", 1), *((f"grpc.{name}", value) for name, value in options.items())]
    async with grpc.aio.insecure_channel(address, options=chosen) as channel:
        yield handler_pb2_grpc.HandlerRunnerServiceStub(channel)


async def peer(stub: handler_pb2_grpc.HandlerRunnerServiceStub) -> str:
    return str((await stub.GetRunner(handler_pb2.GetRunnerRequest(), timeout=PATIENCE_S)).work[0])


async def code_of(call: grpc.aio.Call) -> grpc.StatusCode:
    with suppress(grpc.aio.AioRpcError):
        await call
    return await call.code()


async def say(address: str, words: bytes) -> tuple[bytes, float]:
    """Connect, say it, and return what was answered until the server closed, and after how many seconds it did."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    began = time.monotonic()
    writer.write(words)
    heard = b""
    with suppress(ConnectionResetError):
        while data := await asyncio.wait_for(reader.read(4096), PATIENCE_S):
            heard += data
    writer.close()
    return heard, time.monotonic() - began


def kinds(heard: bytes) -> set[int]:
    """Return the kinds of HTTP/2 frames in what was heard."""
    found = set()
    while len(heard) >= 9:
        found.add(heard[3])
        heard = heard[9 + int.from_bytes(heard[:3], "big") :]
    return found


def test_the_usual_bounds_are_those_that_the_documents_name() -> None:
    assert dict(USUAL.options()) == {
        "grpc.server.max_pending_requests": 100_000,
        "grpc.server.max_pending_requests_hard_limit": 200_000,
        "grpc.server_handshake_timeout_ms": 5_000,
        "grpc.max_connection_idle_ms": 300_000,
        "grpc.max_connection_age_ms": 1_800_000,
        "grpc.max_connection_age_grace_ms": 21_600_000,
        "grpc.keepalive_time_ms": 60_000,
        "grpc.keepalive_timeout_ms": 20_000,
        "grpc.http2.ping_timeout_ms": 20_000,
        "grpc.keepalive_permit_without_calls": 1,
        "grpc.http2.min_ping_interval_without_data_ms": 10_000,
        "grpc.max_allowed_incoming_connections": 10_000,
        "grpc.max_concurrent_streams": 20_000,
        "grpc.max_receive_message_length": 16 << 20,
        "grpc.max_send_message_length": 16 << 20,
        "grpc.so_reuseport": 0,
    }


@pytest.mark.parametrize("words", [b"", PREFACE[:10], PREFACE, PREFACE + SETTINGS[:5]])
async def test_who_does_not_say_in_time_what_it_speaks_is_gone(words: bytes) -> None:
    async with served(ServerArguments(handshake_s=1.0)) as (_, address):
        _, after_s = await say(address, words)
    assert 0.5 < after_s < PATIENCE_S


async def test_a_connection_without_calls_is_told_to_go() -> None:
    async with served(ServerArguments(idle_s=1.0)) as (_, address):
        heard, _ = await say(address, PREFACE + SETTINGS)
    assert GOAWAY in kinds(heard)


@pytest.mark.parametrize("words", [b"", HALF_HEADERS])
async def test_a_connection_on_which_nobody_is_there_any_more_is_asked_and_goes(words: bytes) -> None:
    arguments = ServerArguments(keepalive_s=1.0, keepalive_answer_s=1.0)
    async with served(arguments) as (_, address), called(address) as stub:
        before = await peer(stub)
        heard, after_s = await say(address, PREFACE + SETTINGS + words)
        assert PING in kinds(heard)
        assert after_s > 1
        # Whoever answers the same question stays.
        assert await peer(stub) == before


async def test_an_old_connection_takes_no_new_calls_and_lets_the_others_end() -> None:
    async with served(ServerArguments(age_s=2.0, age_grace_s=60.0)) as (servicer, address), called(address) as stub:
        first = await peer(stub)
        servicer.may_answer.clear()
        running = asyncio.ensure_future(peer(stub))
        await asyncio.sleep(0.2)
        servicer.may_answer.set()
        assert await running == first
        servicer.may_answer.clear()
        running = asyncio.ensure_future(peer(stub))
        await asyncio.sleep(3.5)
        later = asyncio.ensure_future(peer(stub))
        await asyncio.sleep(0.2)
        servicer.may_answer.set()
        assert await running == first
        assert await later != first


async def test_what_runs_on_an_old_connection_ends_with_its_grace() -> None:
    async with served(ServerArguments(age_s=1.0, age_grace_s=1.0)) as (servicer, address), called(address) as stub:
        servicer.may_answer.clear()
        assert await code_of(stub.GetRunner(handler_pb2.GetRunnerRequest())) is grpc.StatusCode.UNAVAILABLE


async def test_more_connections_than_allowed_are_closed_at_once() -> None:
    async with served(ServerArguments(connections=1)) as (_, address), called(address) as stub:
        before = await peer(stub)
        heard, after_s = await say(address, PREFACE + SETTINGS)
        assert not heard
        assert after_s < USUAL.handshake_s
        assert await peer(stub) == before


async def test_more_calls_than_a_connection_takes_wait_at_their_client() -> None:
    async with served(ServerArguments(streams=1)) as (servicer, address), called(address) as stub:
        await peer(stub)
        servicer.may_answer.clear()
        first = asyncio.ensure_future(peer(stub))
        await asyncio.sleep(0.2)
        second = stub.GetRunner(handler_pb2.GetRunnerRequest(), timeout=0.5)
        assert await code_of(second) is grpc.StatusCode.DEADLINE_EXCEEDED
        async with called(address) as other:
            third = asyncio.ensure_future(peer(other))
            await asyncio.sleep(0.2)
            servicer.may_answer.set()
            await asyncio.gather(first, third)


async def test_a_message_that_is_too_large_is_refused_in_either_direction() -> None:
    async with served(USUAL) as (servicer, address), called(address, max_receive_message_length=-1) as stub:
        # An unknown field, which is kept with the message.
        size_bytes = USUAL.message_bytes + 1
        large = b"\xfa\x3f" + bytes([size_bytes & 0x7F | 0x80, size_bytes >> 7 & 0x7F | 0x80])
        large += bytes([size_bytes >> 14 & 0x7F | 0x80, size_bytes >> 21]) + bytes(size_bytes)
        call = stub.GetRunner(handler_pb2.GetRunnerRequest.FromString(large))
        assert await code_of(call) is grpc.StatusCode.RESOURCE_EXHAUSTED
        servicer.size_bytes = USUAL.message_bytes + 1
        call = stub.GetRunner(handler_pb2.GetRunnerRequest())
        assert await code_of(call) is grpc.StatusCode.RESOURCE_EXHAUSTED
        servicer.size_bytes = USUAL.message_bytes - 1000
        assert await peer(stub)


async def test_metadata_that_is_too_large_is_refused() -> None:
    # gRPC's own bound, which is left as it is.
    async with served(USUAL) as (_, address), called(address) as stub:
        call = stub.GetRunner(handler_pb2.GetRunnerRequest(), metadata=[("x-large", "x" * 20_000)])
        assert await code_of(call) is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_connections_leave_files_for_the_rest() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1000, before[1]))
        assert room_for_connections() == 1000 - OTHER_FILES
        assert raise_file_limit() >= 1000
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
