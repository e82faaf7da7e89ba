"""Every exception has a class that says whose fault it is."""

from __future__ import annotations

import errno
import pickle
from typing import Any

import pytest

from dataset_handlers.errors import BadConfig, BadRawRecord, HandlerError, RawMissing
from dataset_handlers.failures import failure_of, is_transient


class Nasty(Exception):
    def __str__(self) -> str:
        raise ValueError("not even this works")


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (
            BadConfig([("config.x", "is odd")]),
            {
                "class": "BAD_CONFIG",
                "message": "config.x: is odd",
                "violations": [{"field": "config.x", "description": "is odd"}],
            },
        ),
        (BadRawRecord("a.jpg", "is odd"), {"class": "BAD_RAW_RECORD", "message": "a.jpg: is odd", "path": "a.jpg"}),
        (RawMissing("nothing there"), {"class": "RAW_MISSING", "message": "nothing there"}),
        (HandlerError("wrong"), {"class": "HANDLER_ERROR", "message": "wrong"}),
        (ValueError("odd"), {"class": "HANDLER_ERROR", "message": "ValueError: odd"}),
        (KeyError(), {"class": "HANDLER_ERROR", "message": "KeyError"}),
        (SystemExit(3), {"class": "HANDLER_ERROR", "message": "the handler called sys.exit(3)"}),
        (KeyboardInterrupt(), {"class": "HANDLER_ERROR", "message": "KeyboardInterrupt"}),
        (Nasty(), {"class": "HANDLER_ERROR", "message": "Nasty"}),
        (MemoryError(), {"class": "OUT_OF_MEMORY", "message": "MemoryError"}),
        (OSError(errno.ENOSPC, "full"), {"class": "TRANSIENT_IO", "message": "OSError: [Errno 28] full"}),
        (OSError(errno.EINVAL, "odd"), {"class": "HANDLER_ERROR", "message": "OSError: [Errno 22] odd"}),
    ],
)
def test_a_failure_says_what_it_means(error: BaseException, failure: dict[str, Any]) -> None:
    said = failure_of(error)
    said.pop("traceback")
    assert said == failure


def test_a_cause_that_is_transient_makes_the_failure_transient() -> None:
    with pytest.raises(HandlerError) as caught:
        try:
            raise OSError(errno.EIO, "disk")
        except OSError as error:
            raise HandlerError("while reading") from error
    assert is_transient(caught.value)
    assert "disk" in failure_of(caught.value)["traceback"]


def test_only_the_codes_mistakes_come_with_a_traceback() -> None:
    assert failure_of(BadConfig([("config.x", "odd")]))["traceback"] == ""
    assert failure_of(RawMissing("x"))["traceback"] == ""
    assert "ValueError" in failure_of(ValueError("x"))["traceback"]


@pytest.mark.parametrize("error", [BadConfig([("config.x", "odd")]), BadRawRecord("a.jpg", "odd")])
def test_errors_survive_the_way_from_a_worker(error: Any) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__
