"""Patterns match paths as in .gitignore, and what is none is refused with what would do."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_handlers.path_patterns import PathPatterns, pattern_fault, unmatched

PATHS = ["a.png", "cats/a.png", "cats/b.jpg", "dogs/cats/c.jpg", "dogs/d [1].jpg", "new\nline.jpg"]


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("*.png", ["a.png", "cats/a.png"]),
        ("/*.png", ["a.png"]),
        ("cats", ["cats/a.png", "cats/b.jpg", "dogs/cats/c.jpg"]),
        ("cats/", ["cats/a.png", "cats/b.jpg", "dogs/cats/c.jpg"]),
        ("a.png/", []),
        ("/cats", ["cats/a.png", "cats/b.jpg"]),
        ("cats/*", ["cats/a.png", "cats/b.jpg"]),
        ("**/cats/*", ["cats/a.png", "cats/b.jpg", "dogs/cats/c.jpg"]),
        ("dogs/**", ["dogs/cats/c.jpg", "dogs/d [1].jpg"]),
        ("dogs/**/c.jpg", ["dogs/cats/c.jpg"]),
        ("?.png", ["a.png", "cats/a.png"]),
        ("[b-d].jpg", ["cats/b.jpg", "dogs/cats/c.jpg"]),
        ("[!b].jpg", ["dogs/cats/c.jpg"]),
        ("d [[]1[]].jpg", ["dogs/d [1].jpg"]),
        ("new*", ["new\nline.jpg"]),
        ("A.PNG", []),
        ("*", PATHS),
    ],
)
def test_a_pattern_matches(pattern: str, matched: list[str]) -> None:
    patterns = PathPatterns([pattern])
    assert [path for path in PATHS if patterns.match(path)] == matched
    assert patterns.unused == ([] if matched else [pattern])


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("", r"is empty; \*\.png or drafts/ would do"),
        (" / ", "is empty"),
        ("!a.png", "takes nothing back"),
        ("a\\b", "parted by /"),
        ("../a.png", r"paths count from the top"),
        ("a//b", "empty name"),
        ("a**", "stands alone between slashes"),
        ("[ab", r"opens a \[ that it does not close"),
        ("[z-a].png", "bad character range"),
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str, said: str) -> None:
    assert re.search(said, pattern_fault(pattern))
    with pytest.raises(ValueError, match=said):
        PathPatterns([pattern])


def test_each_pattern_is_asked() -> None:
    patterns = PathPatterns(["*.png", "a.png", "*.gif"])
    assert patterns.match("cats/a.png")
    assert patterns.unused == ["*.gif"]


@given(st.text(max_size=12))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    if not pattern_fault(text):
        PathPatterns([text]).match("a/b.jpg")


@given(st.lists(st.text("ab.[]*?!^-&~|(){}+$", min_size=1, max_size=6), min_size=1, max_size=3))
def test_a_path_matches_itself_with_its_signs_in_brackets(names: list[str]) -> None:
    path = "/".join(names)
    if any(name in (".", "..") for name in names):
        return
    pattern = "/" + "".join(f"[{sign}]" if sign in "[*?" else sign for sign in path)
    assert PathPatterns([pattern]).match(path)


def test_a_long_list_is_shortened() -> None:
    assert unmatched(["a", "b", "c"], limit=2) == "'a', 'b' and 1 more"
