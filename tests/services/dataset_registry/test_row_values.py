"""What no database could keep as it is has a name before any of them sees it."""

from __future__ import annotations

import json

import pytest

from dataset_registry.row_values import MAX_INDEXED_BYTES, check_mark, check_value, to_json
from service_kit.errors import InvalidArgument


@pytest.mark.parametrize(
    "value", ["", "größer", "\U0010ffff", "x" * 10**6, 2**63 - 1, -(2**63), 0.0, float("inf"), True]
)
def test_what_every_database_keeps_is_welcome(value: object) -> None:
    check_value("column", value)


@pytest.mark.parametrize("value", ["\0", "a\0b", "\ud800", 2**63, -(2**63) - 1, float("nan")])
def test_what_some_database_changes_is_refused_by_the_columns_name(value: object) -> None:
    with pytest.raises(InvalidArgument, match=r"\Acolumn: must be"):
        check_value("column", value)


def test_indexed_text_is_bounded_in_bytes() -> None:
    check_value("column", "ü" * (MAX_INDEXED_BYTES // 2), indexed=True)
    with pytest.raises(InvalidArgument, match="2000 bytes"):
        check_value("column", "ü" * (MAX_INDEXED_BYTES // 2 + 1), indexed=True)


def test_json_is_ascii_and_knows_no_nan() -> None:
    document = {"ü": ["\0", "\ud800", 10**40, None]}
    assert to_json(document).isascii()
    assert json.loads(to_json(document)) == document
    with pytest.raises(InvalidArgument, match="JSON"):
        to_json({"x": float("inf")})


def test_a_mark_has_the_types_of_its_columns() -> None:
    check_mark([float, str], [1, "a"])
    for mark in ([1.0], ["a", 1.0], [True, "a"], [2**60, "a"], [1.0, "\0"]):
        with pytest.raises(InvalidArgument, match="page_token"):
            check_mark([float, str], mark)
