"""Says what is wrong with how a service answered: a defect that shows, or a word that no caller should read."""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import grpc
from google.rpc import error_details_pb2

from .calling import Answer

_DEFECTS = (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNIMPLEMENTED)
# gRPC's own, about a call that it did not hand over.
_TRANSPORT = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
_LEAKS = {
    "a traceback": r"Traceback|File \"|\bline \d+, in ",
    "the class of an exception": r"\b[A-Za-z_]+(?:Error|Exception|Warning)\b|\bNoneType\b|<class |object at 0x",
    "a word of Python's": r"\bsys\.|\bself\b|\b__\w+__\b|\w{3}\.py\b|codec can't|not subscriptable|has no attribute",
    "SQL": r"(?i)\bSELECT\b.*\bFROM\b|\bINSERT INTO\b|constraint failed|sqlalche|psycopg|sqlite3",
}
_PLACES = {str(Path(sys.prefix)), sysconfig.get_paths()["stdlib"], str(Path(__file__).parents[2])}


def complaints(answer: Answer, places: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield what is wrong; ``places``: folders of the services that no message may name."""
    if answer.code in (grpc.StatusCode.OK,) or answer.left:
        return
    if answer.code in _DEFECTS:
        yield f"it answers {answer.code.name}"
    if answer.code is grpc.StatusCode.DEADLINE_EXCEEDED and not answer.waits:
        yield "it does not answer"
    for what, pattern in _LEAKS.items():
        if found := re.search(pattern, answer.details):
            yield f"its message holds {what}: {found[0]!r}"
    if place := next((each for each in (*_PLACES, *places) if each in answer.details), None):
        yield f"its message names the folder {place}"
    yield from _without_details(answer)


def _without_details(answer: Answer) -> Iterator[str]:
    packed = answer.rich.details if answer.rich is not None else ()
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    if not any(each.Unpack(info) for each in packed):
        # An early end of a unary call's stream is no call at all for gRPC, which then answers by itself.
        if answer.code not in _TRANSPORT and answer.sent:
            yield "it has no ErrorInfo"
        return
    if info.domain != "darkroom" or not info.reason:
        yield f"its ErrorInfo is {info}"
    if answer.code is grpc.StatusCode.INVALID_ARGUMENT:
        fields = [each.field for packed_one in packed if packed_one.Unpack(bad) for each in bad.field_violations]
        if not fields or not all(fields):
            yield "it names no field"
