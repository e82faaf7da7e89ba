"""Names that callers give: what is right passes, what is hostile is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_registry import names
from service_kit.errors import InvalidArgument

HOSTILE = [
    "", " ", ".", "..", "../x", "/etc/passwd", "a/../b", "-u", "--upload-pack=touch /tmp/x", "ext::sh -c id", "a b",
    "a\nb", "a\0b", "$(id)", "`id`", "a;id", "a|id", "a&b", "%2e%2e", "ü", "a" * 5000, "refs//heads", "x.lock", "x/",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_version_or_name_is_an_invalid_argument(value: str) -> None:
    with pytest.raises(InvalidArgument):
        names.check_version(value)
    if value != "x.lock":  # a name that only git dislikes
        with pytest.raises(InvalidArgument):
            names.check_dataset_name(value)
    with pytest.raises(InvalidArgument):
        names.split_handler(value)


@pytest.mark.parametrize("value", ["latest", "v1.2.3", "0.1.0", "main", "feature/sky", "a" * 40, "1.0+cpu"])
def test_a_version_as_git_has_them_passes(value: str) -> None:
    assert names.check_version(value) == value


@given(st.text())
def test_any_text_is_a_key_prefix_or_refused(text: str) -> None:
    try:
        prefix = names.key_prefix(text)
    except InvalidArgument:
        return
    assert set(prefix) <= set("0123456789abcdef")
    assert 6 <= len(prefix) <= 64


def test_a_name_too_long_for_the_archive_is_refused_and_says_what_would_do() -> None:
    names.check_archive_name("a" * 128, "b" * 50)
    with pytest.raises(InvalidArgument, match="a commit always does"):
        names.check_archive_name("a" * 128, "b/" * 40)


def test_the_archive_is_named_for_dataset_version_and_key() -> None:
    assert names.archive_name("street", "feature/sky", "k" * 64) == f"street_feature%2Fsky_{'k' * 64}.zip"
