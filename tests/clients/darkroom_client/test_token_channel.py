"""Each call of a channel carries its token beside what it says itself; what can be no token is refused."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from darkroom_client.errors import InvalidArgument
from darkroom_client.token_channel import KINDS, TokenChannel


def heard(context: grpc.aio.ServicerContext) -> bytes:
    wanted = ("authorization", "x-request-id")
    return repr([(key, value) for key, value in context.invocation_metadata() if key in wanted]).encode()


async def one_answer(request: object, context: grpc.aio.ServicerContext) -> bytes:
    return heard(context)


async def many_answers(request: object, context: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
    yield heard(context)


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server()
    methods = {
        kind: getattr(grpc, f"{kind}_rpc_method_handler")(one_answer if kind.endswith("unary") else many_answers)
        for kind in KINDS
    }
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test", methods)])
    port = server.add_insecure_port("localhost:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:
        yield channel
    await server.stop(0)


@pytest.mark.parametrize("metadata", [None, (), (("x-request-id", "7"),)])
@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_of_call_carries_it(channel: grpc.aio.Channel, kind: str, metadata: object) -> None:
    call = getattr(TokenChannel(channel, "dr_token"), kind)(f"/test/{kind}")
    made = call(iter([b""]) if kind.startswith("stream") else b"", metadata=metadata, timeout=60.0)
    answer = await made if kind.endswith("unary") else await made.read()
    assert ast.literal_eval(answer.decode()) == [*(metadata or ()), ("authorization", "Bearer dr_token")]


async def test_what_else_a_channel_does_it_does(channel: grpc.aio.Channel) -> None:
    await asyncio.wait_for(TokenChannel(channel, "dr_token").channel_ready(), 60)


@pytest.mark.parametrize("token", ["", "dr_a b", "dr_secret\n", "dr_secret\0", "dr_gehe\u00efm"])
def test_what_no_header_may_hold_is_refused_without_repeating_it(token: str) -> None:
    with pytest.raises(InvalidArgument, match="characters that no token has") as caught:
        TokenChannel(None, token)
    assert "dr_" not in str(caught.value)
