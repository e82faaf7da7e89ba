"""Sends raw bytes as the messages of any RPC, and says how the call ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.rpc import status_pb2
from grpc_status import rpc_status

# What waits by its nature is left soon; anything else must answer, however loaded the machine is.
WAITS_S = 0.4
ANSWERS_S = 60.0
# What gRPC's client says by itself of a message that is sent when the answer is there.
_SENT_TOO_LATE = ("Internal error from Core", "cancelled by itself")
_WAITING = ("ClaimWork", "GetHandler")


@dataclass(frozen=True)
class Answer:
    """How a call ended; ``left``: its caller went away before, and has no status."""

    method: MethodDescriptor
    sent: tuple[bytes, ...]
    code: grpc.StatusCode
    details: str = ""
    rich: status_pb2.Status | None = None
    messages: tuple[Message, ...] = ()
    left: bool = False
    waits: bool = False

    def __str__(self) -> str:
        sent = " ".join(each[:300].hex() or "''" for each in self.sent)
        return f"{self.method.full_name} {self.code.name} {self.details[:500]!r} after {sent}"


def path(method: MethodDescriptor) -> str:
    """Return a method's name on the wire."""
    return f"/{method.containing_service.full_name}/{method.name}"


async def call(
    channel: grpc.aio.Channel, method: MethodDescriptor, sent: Sequence[bytes], leave_after: int | None = None
) -> Answer:
    """Call with these messages and wait for the end, or leave after so many answers."""
    # A call that takes one message and gets none is none yet for gRPC: it waits.
    waits = method.server_streaming or method.client_streaming or method.name in _WAITING or not sent
    kind = message_factory.GetMessageClass(method.output_type)
    got: list[Message] = []
    # On the wire a unary call is a stream of one, so this fits every kind of RPC.
    calling = channel.stream_stream(path(method))(_each(sent), timeout=WAITS_S if waits else ANSWERS_S)

    def ended(code: grpc.StatusCode, details: str = "", rich: status_pb2.Status | None = None) -> Answer:
        left = (code is grpc.StatusCode.CANCELLED and leave_after is not None) or details in _SENT_TOO_LATE
        return Answer(method, tuple(sent), code, details, rich, tuple(got), left, waits)

    try:
        async for data in calling:
            got.append(kind.FromString(data))
            if leave_after is not None and len(got) >= leave_after:
                break
    except grpc.aio.AioRpcError as error:
        try:
            rich = rpc_status.from_call(error)
        except ValueError:  # what came with it is of another code
            rich = None
        return ended(error.code(), error.details() or "", rich)
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
        return ended(grpc.StatusCode.CANCELLED, "cancelled by itself")
    finally:
        calling.cancel()
    return ended(grpc.StatusCode.OK)


async def _each(sent: Sequence[bytes]) -> AsyncIterator[bytes]:
    for each in sent:
        yield each
        await asyncio.sleep(0)
