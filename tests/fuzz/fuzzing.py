"""Sends thousands of messages to a service, and gathers what is wrong with its answers."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import grpc
from google.protobuf.descriptor import MethodDescriptor

from .calling import Answer, call, path
from .deployment import Target
from .messages import Grammar, Known
from .verdict import complaints

AT_A_TIME = 16
LOOK_EVERY = 1000
STILL_ANSWERS_S = 60.0
# What a service's log holds only after a defect.
_DEFECTS = re.compile(
    r'"event": "unexpected_error"|never retrieved|was never awaited|Fatal Python error|Exception in callback'
)


def _say_nothing(text: str) -> None:
    """Hear nothing."""


@dataclass
class Report:
    """What happened: messages sent, ends by method and status, and each defect once, with an example."""

    tell: Callable[[str], None] = _say_nothing
    sent: int = 0
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    defects: dict[str, str] = field(default_factory=dict)

    def wrong(self, defect: str, example: str) -> None:
        """Keep a defect, and tell of it when it is a new one."""
        if defect not in self.defects:
            self.defects[defect] = example
            self.tell(f"DEFECT {defect}\n       {example}")

    def add(self, answer: Answer, target: Target) -> None:
        """Count an end, and keep what is wrong with it."""
        self.ends[answer.method.name, "left" if answer.left else answer.code.name] += 1
        for complaint in complaints(answer, target.places):
            self.wrong(f"{answer.method.name}: {complaint}{_story(answer, target)}", str(answer))


async def fuzz(target: Target, messages: int, seed: int, tell: Callable[[str], None] = _say_nothing) -> Report:
    """Send so many messages to the RPCs of a target, each RPC about as often; ``tell`` hears of defects at once."""
    chance, known, report = random.Random(seed), Known(target.known), Report(tell)
    grammar = Grammar(chance, known)
    methods = [method for service in target.services for method in service.methods]
    places = asyncio.Semaphore(AT_A_TIME)
    async with grpc.aio.insecure_channel(target.server, options=[("grpc.max_receive_message_length", -1)]) as channel:

        async def one(method: MethodDescriptor, sent: list[bytes], leave_after: int | None) -> None:
            async with places:
                answer = await call(channel, method, sent, leave_after)
            report.add(answer, target)
            for message in answer.messages[:2]:
                known.learn(message)

        while report.sent < messages and target.process.alive():
            calls: list[Awaitable[None]] = []
            for _ in range(min(LOOK_EVERY, messages - report.sent)):
                method = chance.choice(methods)
                sent = _messages(chance, grammar, method)
                leave_after = chance.choice((None, 0, 1, 2)) if method.server_streaming else None
                calls.append(one(method, sent, leave_after))
                report.sent += max(1, len(sent))
            await asyncio.gather(*calls)
            await _look(channel, target, report)
    return report


def _messages(chance: random.Random, grammar: Grammar, method: MethodDescriptor) -> list[bytes]:
    # A call that takes one message now and then gets none, or one too many.
    counts = (0, 1, 2, 2, 3, 5) if method.client_streaming else (0, *(1,) * 98, 2)
    return [grammar.wire(method.input_type) for _ in range(chance.choice(counts))]


def _story(answer: Answer, target: Target) -> str:
    """Return where the log says that an internal error came from."""
    error_id = re.search(r"id ([0-9a-f]{12})", answer.details) if answer.code is grpc.StatusCode.INTERNAL else None
    found = [each for each in target.process.events("unexpected_error") if error_id and each["error_id"] == error_id[1]]
    return " at " + "; ".join(found[0]["exception"].splitlines()[-3:]) if found else ""


async def _look(channel: grpc.aio.Channel, target: Target, report: Report) -> None:
    """Note a service that has gone, or whose log tells of a defect."""
    if not target.process.alive():
        report.wrong(f"the {target.process.name} ended", target.process.log[-3000:])
        return
    # Any call that only reads will do.
    method = next(each for each in target.services[0].methods if each.name.startswith(("List", "GetRunner")))
    try:
        await channel.unary_unary(path(method))(b"", timeout=STILL_ANSWERS_S)
    except grpc.aio.AioRpcError as error:
        report.wrong(f"the {target.process.name} does not answer {method.name} any more", error.details() or "")
    if found := _DEFECTS.search(target.process.log):
        log = target.process.log
        report.wrong(f"the {target.process.name}'s log: {found[0]}", log[found.start() :][:4000])
