"""Exit codes, tables, and JSON."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from darkroom_client import DataLoss, Failure, InvalidArgument, NotFound, RequestFailed, RequestState, Unavailable
from darkroom_client.output import exit_code, print_json, print_table, size_text


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidArgument("x"), 2),
        (NotFound("x"), 3),
        (Unavailable("x"), 1),
        (DataLoss("x"), 1),
        (RequestFailed(Failure("BAD_CONFIG", "x")), 2),
        (RequestFailed(Failure("HANDLER_ERROR", "x")), 1),
        (RequestFailed(Failure("CANCELLED", "x")), 1),
    ],
)
def test_an_error_means_one_exit_code(error, code):
    assert exit_code(error) == code


def test_json_holds_plain_values(capsys):
    @dataclass
    class Value:
        path: Path
        span: timedelta
        moment: datetime
        state: RequestState

    print_json({"value": Value(Path("/a"), timedelta(seconds=2), datetime(2024, 1, 2, tzinfo=UTC), RequestState.READY)})
    found = json.loads(capsys.readouterr().out)
    assert found == {"value": {"path": "/a", "span": 2.0, "moment": "2024-01-02T00:00:00+00:00", "state": "READY"}}


def test_columns_are_aligned_and_numbers_to_the_right(capsys):
    print_table(["NAME", "N"], [("a", 5), ("longer", 1000)])
    assert capsys.readouterr().out == "NAME       N\na          5\nlonger  1000\n"


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2.5e9, "2.5 GB"), (3e12, "3.0 TB")]
)
def test_sizes_read_well(size, text):
    assert size_text(size) == text
