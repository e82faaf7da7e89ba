"""Why a piece of work failed, as an exception that becomes the proto's `Failure`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from darkroom.dataset.v1 import dataset_pb2
from handler_runner.printable import printable

# A traceback or the end of a log; more helps nobody.
_DETAIL_CHARACTERS = 32_000
_MESSAGE_CHARACTERS = 4_000


class FailureClass(StrEnum):
    """The words of the proto, without their prefix."""

    TRANSIENT_IO = "TRANSIENT_IO"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    STUCK = "STUCK"
    BAD_CONFIG = "BAD_CONFIG"
    HANDLER_ERROR = "HANDLER_ERROR"
    BAD_RAW_RECORD = "BAD_RAW_RECORD"
    RAW_CHANGED = "RAW_CHANGED"
    RAW_MISSING = "RAW_MISSING"
    ENVIRONMENT = "ENVIRONMENT"
    CANCELLED = "CANCELLED"
    INTERNAL = "INTERNAL"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    SANDBOX = "SANDBOX"
    BAD_ARCHIVE = "BAD_ARCHIVE"


# The key holds config, code and raw digest, so these would come again; the others depend on the day.
DETERMINISTIC = frozenset(
    {
        FailureClass.BAD_CONFIG,
        FailureClass.HANDLER_ERROR,
        FailureClass.BAD_RAW_RECORD,
        FailureClass.LIMIT_EXCEEDED,
    }
)


class WorkFailed(Exception):
    """The work cannot be done; ``violations`` are (field, what was received and what would do) pairs.

    ``deterministic`` says that the same would come again although the class does not.
    """

    def __init__(
        self,
        failure_class: FailureClass,
        message: str,
        *,
        detail: str = "",
        violations: Sequence[tuple[str, str]] = (),
        deterministic: bool = False,
    ) -> None:
        super().__init__(message)
        self.failure_class = failure_class
        self.message = message
        self.detail = detail
        self.violations = tuple(violations)
        self.deterministic = deterministic or failure_class in DETERMINISTIC

    def to_proto(self) -> dataset_pb2.Failure:
        """Return the message that ends the work."""
        return dataset_pb2.Failure(
            failure_class=f"FAILURE_CLASS_{self.failure_class}",
            message=printable(self.message)[:_MESSAGE_CHARACTERS],
            detail=printable(self.detail)[-_DETAIL_CHARACTERS:],
            violations=[
                dataset_pb2.FieldViolation(field=printable(field), description=printable(description))
                for field, description in self.violations
            ],
            deterministic=self.deterministic,
        )
