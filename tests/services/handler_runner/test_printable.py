"""What becomes of text that is not printable."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from handler_runner.printable import printable, printable_path


@given(st.text(st.characters()))
def test_any_text_can_be_sent_and_holds_no_nul(text):
    safe = printable(text)
    assert "\0" not in safe
    assert safe.encode().decode() == safe


@given(st.binary(min_size=1))
def test_any_file_name_can_be_shown(name):
    assert printable_path(name).encode()


def test_tabs_newlines_and_colours_stay():
    assert printable("a\tb\r\n\x1b[1mc\x00") == "a\tb\r\n\x1b[1mc\\x00"
