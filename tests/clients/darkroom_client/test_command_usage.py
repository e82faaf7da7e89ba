"""How far back usage looks, in words."""

from datetime import timedelta

import pytest

from darkroom_client.command_usage import parse_span
from darkroom_client.errors import InvalidArgument


@pytest.mark.parametrize(
    ("text", "span"),
    [("90m", timedelta(minutes=90)), ("1.5h", timedelta(minutes=90)), ("30d", timedelta(days=30))],
)
def test_a_span_is_a_number_and_a_unit(text, span):
    assert parse_span(text) == span


@pytest.mark.parametrize("text", ["", "30", "d", "-3d", "3w", "999999999d", "1e3d", "3 d"])
def test_what_is_no_span_is_refused_with_what_would_do(text):
    with pytest.raises(InvalidArgument, match="--since"):
        parse_span(text)
