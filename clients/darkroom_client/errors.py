"""The meanings an error can have for a caller, and the way back from gRPC statuses to them.

The names and meanings are the services' own, so that a message reads the same wherever it is met::

    DarkroomError
    ├── InvalidArgument      change the request; ``violations`` name the fields
    ├── NotFound             nothing has that name
    ├── AlreadyExists        something else has that name
    ├── FailedPrecondition   the state forbids it now
    ├── Unauthenticated      no token, or none that is good; `darkroom login` stores one
    ├── PermissionDenied     the token lacks the scope
    ├── OutOfRange           the range ends behind the data
    ├── Aborted              somebody else went ahead
    ├── ResourceExhausted    full; try again later
    ├── Unavailable          something needed does not answer; try again later
    ├── DataLoss             bytes that should be there are gone or changed
    ├── Internal             a defect of Darkroom; the server's log has the error id
    ├── DiskFull             the cache's disk has no room
    └── RequestFailed        the work failed, was cancelled or expired; ``failure`` says why
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from darkroom_client.snapshot import Failure, Violation


class DarkroomError(Exception):
    """An error with a meaning that a caller can act upon."""

    reason = "ERROR"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        metadata: dict[str, str] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.reason
        self.metadata = metadata or {}
        self.retry_after_s = retry_after_s


class InvalidArgument(DarkroomError):
    """The request is wrong whatever the state; ``violations`` say where, and what would do."""

    reason = "INVALID_ARGUMENT"

    def __init__(self, message: str, violations: Sequence[Violation] = (), **rest: Any) -> None:
        super().__init__(message, **rest)
        self.violations = tuple(violations)


class NotFound(DarkroomError):
    """Nothing has that name."""

    reason = "NOT_FOUND"


class AlreadyExists(DarkroomError):
    """Something else has that name."""

    reason = "ALREADY_EXISTS"


class FailedPrecondition(DarkroomError):
    """The present state forbids it."""

    reason = "FAILED_PRECONDITION"


class Unauthenticated(DarkroomError):
    """The server asks for a token, and there is none, or none that is good now."""

    reason = "UNAUTHENTICATED"


class PermissionDenied(DarkroomError):
    """The token lacks the scope that the call needs."""

    reason = "PERMISSION_DENIED"


class OutOfRange(DarkroomError):
    """The asked range ends behind the data."""

    reason = "OUT_OF_RANGE"


class Aborted(DarkroomError):
    """Somebody else went ahead."""

    reason = "ABORTED"


class ResourceExhausted(DarkroomError):
    """A bound is reached; the same call may work later."""

    reason = "RESOURCE_EXHAUSTED"


class Unavailable(DarkroomError):
    """Something needed does not answer; the same call may work later."""

    reason = "UNAVAILABLE"


class DataLoss(DarkroomError):
    """Bytes that should be there are gone or changed."""

    reason = "DATA_LOSS"


class Internal(DarkroomError):
    """A defect of Darkroom; the server's log has the error id that the message names."""

    reason = "INTERNAL"


class DiskFull(DarkroomError):
    """The cache's disk has no room; what was downloaded so far is kept."""

    reason = "DISK_FULL"


class RequestFailed(DarkroomError):
    """The work behind a request failed, was cancelled or expired; ``failure`` has class, message and traceback."""

    reason = "REQUEST_FAILED"

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message, reason=failure.failure_class)
        self.failure = failure


MEANINGS: dict[grpc.StatusCode, type[DarkroomError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgument,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.OUT_OF_RANGE: OutOfRange,
    grpc.StatusCode.ABORTED: Aborted,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhausted,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    # A call that nobody here cancelled was dropped by a server on its way down.
    grpc.StatusCode.CANCELLED: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: Unavailable,
    grpc.StatusCode.DATA_LOSS: DataLoss,
}


def error_from_rpc(error: Any, server: str, service: str = "registry") -> DarkroomError:
    """Return the meaning of a failed call; ``error`` is a `grpc.RpcError` that has ended."""
    code, message = error.code(), error.details() or ""
    details = _details(error)
    info = next((detail for detail in details if isinstance(detail, error_details_pb2.ErrorInfo)), None)
    rest: dict[str, Any] = {"retry_after_s": _retry_after_s(details)}
    if info is not None:
        rest |= {"reason": info.reason, "metadata": dict(info.metadata)}
    elif code is grpc.StatusCode.DEADLINE_EXCEEDED:
        message = f"the {service} at {server} did not answer in time"
    elif code is grpc.StatusCode.UNIMPLEMENTED:
        message = f"what answers at {server} is no Darkroom {service}, or an older one: {message}"
    elif code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
        message = f"lost the {service} at {server}: {message}"
    kind = MEANINGS.get(code, Internal)
    if kind is InvalidArgument:
        rest["violations"] = [
            Violation(violation.field, violation.description)
            for detail in details
            if isinstance(detail, error_details_pb2.BadRequest)
            for violation in detail.field_violations
        ]
    return kind(message, **rest)


def _details(error: Any) -> list[Any]:
    try:
        status = rpc_status.from_call(error)
    except ValueError:  # the status that a proxy attached contradicts the call's own
        return []
    known = (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest, error_details_pb2.RetryInfo)
    unpacked = []
    for packed in status.details if status is not None else ():
        for kind in known:
            if packed.Is(kind.DESCRIPTOR):
                unpacked.append(kind())
                packed.Unpack(unpacked[-1])
    return unpacked


def _retry_after_s(details: Sequence[Any]) -> float | None:
    for detail in details:
        if isinstance(detail, error_details_pb2.RetryInfo):
            return float(detail.retry_delay.ToTimedelta().total_seconds())
    return None
