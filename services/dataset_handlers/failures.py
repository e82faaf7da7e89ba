"""Says what an exception means to a build: whose fault it is, and whether trying again may help."""

from __future__ import annotations

import errno
import traceback
from typing import Any, Dict, Iterator

from dataset_handlers.errors import BadConfig, BadRawRecord, RawMissing
from dataset_handlers.remedies import remedy_of

_TRANSIENT = {
    errno.EAGAIN,
    errno.EBUSY,
    errno.ECONNRESET,
    errno.EDQUOT,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOSPC,
    errno.ESTALE,
    errno.ETIMEDOUT,
}
_LIMIT = 256 * 1024


def failure_of(error: BaseException) -> Dict[str, Any]:
    """Returns ``class``, ``message`` and ``traceback`` of an error event, and ``violations`` or ``path`` if it has."""
    failure: Dict[str, Any] = {
        "class": _class_of(error),
        "message": _message_of(error),
        # The end of a long traceback says most; one of endless recursion would fill a frame.
        "traceback": "".join(traceback.format_exception(type(error), error, error.__traceback__))[-_LIMIT:],
    }
    if isinstance(error, (BadConfig, RawMissing)):
        # The caller's to mend, not the code's: where it was raised helps nobody.
        failure["traceback"] = ""
    if isinstance(error, BadConfig):
        failure["violations"] = [violation._asdict() for violation in error.violations]
    if isinstance(error, BadRawRecord):
        failure["path"] = error.path
    return failure


def is_transient(error: BaseException) -> bool:
    """Whether the same step may succeed later: a full disk, a file server that is away."""
    return any(isinstance(link, OSError) and link.errno in _TRANSIENT for link in causes(error))


def _class_of(error: BaseException) -> str:
    if isinstance(error, BadConfig):
        return "BAD_CONFIG"
    if isinstance(error, BadRawRecord):
        return "BAD_RAW_RECORD"
    if isinstance(error, RawMissing):
        return "RAW_MISSING"
    if isinstance(error, MemoryError):
        return "OUT_OF_MEMORY"
    return "TRANSIENT_IO" if is_transient(error) else "HANDLER_ERROR"


def _message_of(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"the handler called sys.exit({error.code!r})"
    try:
        text = str(error)
    except Exception:
        # A foreign exception may fail even at saying what it is.
        text = ""
    named = type(error).__module__ == "dataset_handlers.errors"
    message = text if named and text else f"{type(error).__name__}: {text}" if text else type(error).__name__
    remedy = remedy_of(error)
    return (f"{message}. {remedy}" if remedy else message)[:_LIMIT]


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yields the error, what it was raised from, what that was raised from, and so on."""
    seen = set()
    link = error  # type: BaseException | None
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__
