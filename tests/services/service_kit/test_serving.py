"""The server's arguments and guards, each by its effect: grpcio ignores a wrong name without a word."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from darkroom.handler.v1 import handler_pb2, handler_pb2_grpc
from service_kit.errors import InvalidArgument, NotFound, Unavailable
from service_kit.serving import Serving

NAME = "darkroom.handler.v1.HandlerRunnerService"
STREAMS = "darkroom.test.v1.StreamService"


class Servicer(handler_pb2_grpc.HandlerRunnerServiceServicer):
    """Does what `error` says."""

    error: Exception | None = None
    delay_s = 0.0

    async def GetRunner(self, request, context):  # type: ignore[no-untyped-def]
        await asyncio.sleep(self.delay_s)
        if self.error is not None:
            raise self.error
        return handler_pb2.GetRunnerResponse()


async def count(
    requests: AsyncIterator[handler_pb2.GetRunnerRequest], context: object
) -> handler_pb2.GetRunnerResponse:
    """Answer how many requests came; refuses more than three."""
    number = 0
    async for _ in requests:
        number += 1
        if number > 3:
            raise InvalidArgument.of([("chunk", "at most three")])
    return handler_pb2.GetRunnerResponse(work=[f"{number} came"])


async def echo(
    requests: AsyncIterator[handler_pb2.GetRunnerRequest], context: object
) -> AsyncIterator[handler_pb2.GetRunnerResponse]:
    """Answer each request; fails at the third."""
    number = 0
    async for _ in requests:
        number += 1
        if number == 3:
            raise RuntimeError("the password is hunter2")
        yield handler_pb2.GetRunnerResponse(work=[str(number)])


def add_streams(server: grpc.aio.Server) -> None:
    codec = {
        "request_deserializer": handler_pb2.GetRunnerRequest.FromString,
        "response_serializer": handler_pb2.GetRunnerResponse.SerializeToString,
    }
    handlers = {
        "Count": grpc.stream_unary_rpc_method_handler(count, **codec),
        "Echo": grpc.stream_stream_rpc_method_handler(echo, **codec),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(STREAMS, handlers),))


@pytest.fixture
async def served() -> AsyncIterator[tuple[Servicer, Serving]]:
    servicer = Servicer()

    def register(server: grpc.aio.Server) -> None:
        handler_pb2_grpc.add_HandlerRunnerServiceServicer_to_server(servicer, server)
        add_streams(server)

    # As many at a time as come: admission has tests of its own.
    serving = Serving("localhost:0", [NAME], register, places={})
    await serving.start()
    yield servicer, serving
    await serving.stop(0.1)


@pytest.fixture
async def channel(served: tuple[Servicer, Serving]) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(f"localhost:{served[1].port}") as channel:
        yield channel


async def error_of(channel: grpc.aio.Channel) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await handler_pb2_grpc.HandlerRunnerServiceStub(channel).GetRunner(handler_pb2.GetRunnerRequest())
    return caught.value


async def test_a_burst_of_5000_calls_loses_none(served: tuple[Servicer, Serving], channel: grpc.aio.Channel) -> None:
    stub = handler_pb2_grpc.HandlerRunnerServiceStub(channel)
    answers = await asyncio.gather(*(stub.GetRunner(handler_pb2.GetRunnerRequest()) for _ in range(5000)))
    assert len(answers) == 5000


async def test_connections_that_say_nothing_are_closed(served: tuple[Servicer, Serving]) -> None:
    streams = [await asyncio.open_connection("localhost", served[1].port) for _ in range(20)]
    started = time.monotonic()

    async def until_closed(reader: asyncio.StreamReader) -> None:
        while await reader.read(4096):
            pass

    await asyncio.wait_for(asyncio.gather(*(until_closed(reader) for reader, _ in streams)), 60)
    assert 3 < time.monotonic() - started < 30
    for _, writer in streams:
        writer.close()


async def test_a_second_server_on_the_port_is_refused(served: tuple[Servicer, Serving]) -> None:
    second = Serving(f"localhost:{served[1].port}", [], lambda server: None)
    with pytest.raises(Unavailable, match="cannot listen"):
        await second.start()
    await second.stop(0)


async def test_a_client_that_pings_too_often_is_sent_away(served: tuple[Servicer, Serving]) -> None:
    # The argument's effect at its border: pings closer than 10 s are strikes, and the third closes the connection.
    options = (
        ("grpc.keepalive_time_ms", 1000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    )
    served[0].delay_s = 8
    async with grpc.aio.insecure_channel(f"localhost:{served[1].port}", options=options) as eager:
        error = await error_of_or_answer(eager)
    assert error is not None
    assert "ping" in str(error.details()).lower()


async def error_of_or_answer(channel: grpc.aio.Channel) -> grpc.aio.AioRpcError | None:
    try:
        await handler_pb2_grpc.HandlerRunnerServiceStub(channel).GetRunner(handler_pb2.GetRunnerRequest())
    except grpc.aio.AioRpcError as error:
        return error
    return None


async def test_a_meaning_arrives_with_its_details(served: tuple[Servicer, Serving], channel: grpc.aio.Channel) -> None:
    served[0].error = InvalidArgument.of([("config.gain", "must be at least 0, not -1")])
    error = await error_of(channel)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = rpc_status.from_call(error)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(bad)
    assert (info.domain, info.reason) == ("darkroom", "INVALID_ARGUMENT")
    assert bad.field_violations[0].field == "config.gain"
    served[0].error = Unavailable("the store is away")
    retry = error_details_pb2.RetryInfo()
    assert rpc_status.from_call(await error_of(channel)).details[1].Unpack(retry)
    served[0].error = NotFound("no such runner")
    assert (await error_of(channel)).code() is grpc.StatusCode.NOT_FOUND


async def test_a_bug_shows_an_id_and_not_its_text(served: tuple[Servicer, Serving], channel: grpc.aio.Channel) -> None:
    served[0].error = RuntimeError("the password is hunter2")
    error = await error_of(channel)
    assert error.code() is grpc.StatusCode.INTERNAL
    assert "hunter2" not in str(error.details())
    assert "id " in str(error.details())


async def test_bytes_that_are_no_message_are_an_invalid_argument(
    served: tuple[Servicer, Serving], channel: grpc.aio.Channel
) -> None:
    call = channel.unary_unary(f"/{NAME}/GetRunner")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(b"\xff\xff\xff")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_stream_of_requests_is_answered_and_its_errors_keep_their_meaning(channel: grpc.aio.Channel) -> None:
    call = channel.stream_unary(f"/{STREAMS}/Count", response_deserializer=handler_pb2.GetRunnerResponse.FromString)
    assert (await call(iter([b""] * 3))).work == ["3 came"]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(iter([b""] * 4))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    bad = error_details_pb2.BadRequest()
    assert rpc_status.from_call(caught.value).details[1].Unpack(bad)
    assert bad.field_violations[0].field == "chunk"


async def test_a_bug_in_the_middle_of_two_streams_shows_an_id(channel: grpc.aio.Channel) -> None:
    call = channel.stream_stream(f"/{STREAMS}/Echo", response_deserializer=handler_pb2.GetRunnerResponse.FromString)
    answered = []
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for response in call(iter([b""] * 5)):
            answered.extend(response.work)
    assert answered == ["1", "2"]
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "hunter2" not in str(caught.value.details())


@pytest.mark.parametrize("method", ["Count", "Echo"])
async def test_bytes_in_a_stream_that_are_no_message_are_an_invalid_argument(
    channel: grpc.aio.Channel, method: str
) -> None:
    make = channel.stream_unary if method == "Count" else channel.stream_stream
    call = make(f"/{STREAMS}/{method}")(iter([b"", b"\xff\xff\xff"]))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        if method == "Count":
            await call
        else:
            async for _ in call:
                pass
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_health_lists_every_service_and_turns_before_the_end(
    served: tuple[Servicer, Serving], channel: grpc.aio.Channel
) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    listed = await stub.List(health_pb2.HealthListRequest())
    assert {name: each.status for name, each in listed.statuses.items()} == {
        "": health_pb2.HealthCheckResponse.SERVING,
        NAME: health_pb2.HealthCheckResponse.SERVING,
    }
    watch = stub.Watch(health_pb2.HealthCheckRequest(service=NAME))
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    stopping = asyncio.create_task(served[1].stop(1.0))
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
    watch.cancel()
    await stopping


async def test_a_service_that_is_not_ready_yet_answers_and_says_so() -> None:
    serving = Serving("localhost:0", [NAME], add_streams)
    await serving.start(ready=False)
    async with grpc.aio.insecure_channel(f"localhost:{serving.port}") as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        request = health_pb2.HealthCheckRequest(service=NAME)
        assert (await check(request)).status == health_pb2.HealthCheckResponse.NOT_SERVING
        await serving.set_ready(True)
        assert (await check(request)).status == health_pb2.HealthCheckResponse.SERVING
    await serving.stop(0.1)


async def test_reflection_names_the_service(served: tuple[Servicer, Serving], channel: grpc.aio.Channel) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    call = stub.ServerReflectionInfo()
    await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
    names = {each.name for each in (await call.read()).list_services_response.service}
    await call.done_writing()
    assert NAME in names


async def test_a_running_call_ends_before_the_server_does(
    served: tuple[Servicer, Serving], channel: grpc.aio.Channel
) -> None:
    served[0].delay_s = 0.5
    call = asyncio.ensure_future(
        handler_pb2_grpc.HandlerRunnerServiceStub(channel).GetRunner(handler_pb2.GetRunnerRequest())
    )
    await asyncio.sleep(0.2)
    await served[1].stop(3)
    assert isinstance(await call, handler_pb2.GetRunnerResponse)
