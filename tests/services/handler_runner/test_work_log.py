"""A work's log arrives whole, once, and in bounded memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from handler_runner.work_log import LineDecoder, WorkLog


def drain(log):
    text = ""
    while log.unsent:
        offset, piece = log.next_piece()
        assert offset == len(text.encode())
        text += piece
        log.sent()
    return text


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"]))))
def test_what_is_appended_arrives_in_order(texts):
    log = WorkLog()
    for text in texts:
        log.append(text)
    assert drain(log) == "".join(texts)


def test_a_piece_that_was_not_answered_comes_again_unchanged():
    log = WorkLog()
    log.append("first\n")
    piece = log.next_piece()
    log.append("second\n")
    assert log.next_piece() == piece == (0, "first\n")
    log.sent()
    assert log.next_piece() == (6, "second\n")


def test_what_is_too_much_is_left_out_with_a_line_that_says_so():
    log = WorkLog(kept_bytes=100)
    log.append("x" * 90)
    log.append("y" * 50)
    assert drain(log) == "x" * 90 + "[50 bytes of log left out here]\n"
    log.append("z")
    assert drain_from(log) == "z"


def drain_from(log):
    _, piece = log.next_piece()
    log.sent()
    return piece


def test_a_long_text_is_cut_between_characters():
    log = WorkLog()
    text = "a" + "ä" * 400_000
    log.append(text)
    assert drain(log) == text


def test_appending_is_told():
    told = []
    WorkLog(on_append=lambda: told.append(1)).append("x")
    assert told


def test_lines_are_passed_on_whole_and_what_is_no_unicode_is_escaped():
    decoder = LineDecoder()
    assert decoder.feed(b"one\ntw") == "one\n"
    assert decoder.feed(b"o\r 50%") == "two\r"
    assert decoder.feed("é".encode()[:1]) == ""
    assert decoder.feed("é".encode()[1:] + b"\xff\n") == " 50%é\\xff\n"
    assert decoder.feed(b"rest") == ""
    assert decoder.flush() == "rest\n"
    assert decoder.flush() == ""


def test_a_line_without_end_is_passed_on_in_pieces():
    decoder = LineDecoder()
    assert len(decoder.feed(b"x" * 100_000)) == 100_000
