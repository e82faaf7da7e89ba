"""The meanings an error can have, and the one table from meanings to gRPC statuses.

Raise the meaning and say what was received and what would do::

    raise NotFound(f"no dataset {name!r}; `darkroom ls` shows those there are")

    DarkroomError
    ├── InvalidArgument      the caller must change the request; violations name the fields
    ├── NotFound             nothing has that name
    ├── AlreadyExists        something else has that name
    ├── FailedPrecondition   the state forbids it now
    ├── Unauthenticated      no token, or none that is good
    ├── PermissionDenied     the token lacks the scope
    ├── OutOfRange           the range ends behind the data
    ├── Aborted              another holder of the work went ahead (reason FENCED)
    ├── ResourceExhausted    full; try again later
    ├── Unavailable          something needed does not answer; try again later
    ├── DeadlineExceeded     the caller's time was up before the work was done
    └── DataLoss             bytes that should be there are gone
"""

from __future__ import annotations

from collections.abc import Sequence

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

DOMAIN = "darkroom"


class DarkroomError(Exception):
    """An error with a meaning that a caller can act upon."""

    reason = "ERROR"
    retry_after_s: float | None = None

    def __init__(self, message: str, *, reason: str | None = None, metadata: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.reason
        self.metadata = metadata or {}


class InvalidArgument(DarkroomError):
    """The request is wrong whatever the state; ``violations`` are (field, what would do) pairs."""

    reason = "INVALID_ARGUMENT"

    def __init__(self, message: str, violations: Sequence[tuple[str, str]] = (), **rest: str) -> None:
        super().__init__(message, reason=rest.get("reason"))
        self.violations = tuple(violations)

    @classmethod
    def of(cls, violations: Sequence[tuple[str, str]]) -> InvalidArgument:
        """Join the violations to one message."""
        return cls("; ".join(f"{field}: {description}" for field, description in violations), violations)


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
    """The call brings no token, or none that is good now."""

    reason = "UNAUTHENTICATED"


class PermissionDenied(DarkroomError):
    """The caller's token lacks the scope that the call needs."""

    reason = "PERMISSION_DENIED"


class OutOfRange(DarkroomError):
    """The asked range ends behind the data."""

    reason = "OUT_OF_RANGE"


class Aborted(DarkroomError):
    """Another holder of the work went ahead: stop and forget it."""

    reason = "FENCED"


class ResourceExhausted(DarkroomError):
    """A bound is reached; the same call may work later."""

    reason = "RESOURCE_EXHAUSTED"
    retry_after_s: float | None = 1.0


class Unavailable(DarkroomError):
    """Something needed does not answer; the same call may work later."""

    reason = "UNAVAILABLE"
    retry_after_s: float | None = 1.0


class DeadlineExceeded(DarkroomError):
    """The caller's time was up before the work was done."""

    reason = "DEADLINE_EXCEEDED"


class DataLoss(DarkroomError):
    """Bytes that should be there are gone or changed."""

    reason = "DATA_LOSS"


STATUS_CODES: dict[type[DarkroomError], grpc.StatusCode] = {
    InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
    NotFound: grpc.StatusCode.NOT_FOUND,
    AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    OutOfRange: grpc.StatusCode.OUT_OF_RANGE,
    Aborted: grpc.StatusCode.ABORTED,
    ResourceExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
    DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    DataLoss: grpc.StatusCode.DATA_LOSS,
    DarkroomError: grpc.StatusCode.INTERNAL,
}


def status_code(error: DarkroomError) -> grpc.StatusCode:
    """Return the status of the nearest class in the table."""
    return next(STATUS_CODES[kind] for kind in type(error).__mro__ if kind in STATUS_CODES)


def rich_status(error: DarkroomError) -> grpc.Status:
    """Return the status with its `ErrorInfo`, and `BadRequest` or `RetryInfo` where they apply."""
    details = [error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)]
    if isinstance(error, InvalidArgument) and error.violations:
        violations = [
            error_details_pb2.BadRequest.FieldViolation(field=field, description=description)
            for field, description in error.violations
        ]
        details.append(error_details_pb2.BadRequest(field_violations=violations))
    if error.retry_after_s is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(round(error.retry_after_s * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    packed = []
    for detail in details:
        packed.append(any_pb2.Any())
        packed[-1].Pack(detail)
    code = status_code(error).value[0]
    return rpc_status.to_status(status_pb2.Status(code=code, message=error.message, details=packed))
