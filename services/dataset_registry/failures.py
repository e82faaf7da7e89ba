"""The classes of failure, how often each is tried again, and when a failure answers for later requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from dataset_registry.records import Work
from dataset_registry.states import WorkState

# Between two tries of what failed by itself.
LONGEST_PAUSE_S = 30.0
# How long a failure that would come again answers later requests that do not ask for a retry.
REMEMBERED_S = 600.0


class FailureClass(StrEnum):
    """Why work failed; the words of the proto."""

    WORKER_LOST = "WORKER_LOST"
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


# Times that work may end with this class before it fails for good; once where the same would happen again.
TRIES: Mapping[str, int] = {
    FailureClass.WORKER_LOST: 5,
    FailureClass.TRANSIENT_IO: 5,
    FailureClass.OUT_OF_MEMORY: 2,
    FailureClass.STUCK: 2,
    FailureClass.INTERNAL: 2,
}

DETERMINISTIC = frozenset(
    {
        FailureClass.BAD_CONFIG,
        FailureClass.HANDLER_ERROR,
        FailureClass.BAD_RAW_RECORD,
        FailureClass.LIMIT_EXCEEDED,
    }
)


def failure(kind: FailureClass, message: str, **rest: Any) -> dict[str, Any]:
    """Return a failure as the catalogue keeps it: the proto's fields by name."""
    return {
        "failure_class": str(kind),
        "message": message,
        "deterministic": kind in DETERMINISTIC,
        **rest,
    }


def after_failure(work: Work, now: float, failed: dict[str, Any]) -> Work:
    """Return the work queued again with a growing pause, or failed for good when its class has no tries left."""
    kind = failed["failure_class"]
    counts = {**work.failure_counts, kind: work.failure_counts.get(kind, 0) + 1}
    counted = replace(work, failure_counts=counts)
    # The runner may know better than the class that the same would happen again: a limit on memory was reached.
    tries = 1 if failed.get("deterministic") else TRIES.get(kind, 1)
    if counts[kind] < tries:
        # Another runner may take over from a lost one at once; what failed by itself rests first.
        pause_s = 0.0 if kind == FailureClass.WORKER_LOST else min(2.0 ** counts[kind], LONGEST_PAUSE_S)
        return counted.requeued(not_before=now + pause_s)
    return counted.ended(now, WorkState.FAILED, failed)


def answers_for(failed: Mapping[str, Any], finish_time: float, now: float) -> bool:
    """Whether a failure of that time still answers a new request."""
    # Not one of the future: the clock was set back since.
    return bool(failed.get("deterministic")) and 0.0 <= now - finish_time < REMEMBERED_S
