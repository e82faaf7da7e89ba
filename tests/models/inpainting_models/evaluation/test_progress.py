"""Who waits for a run is told how far it is."""

from __future__ import annotations

import pytest

from inpainting_models.evaluation import progress
from inpainting_models.evaluation.run import Row


def row(method: str, error: str = "") -> Row:
    return Row("case-1", "photo.jpg", "00", "00", "box", "1-10", False, "", 64, 64, 0.1, method, error)


def test_where_there_is_no_terminal_lines_say_how_much_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY_S", -1.0)
    rows = [row("ns"), row("mine.paint", "ValueError: [no] such luck")]
    assert list(progress.shown(rows, total=5, ready=3)) == rows
    assert capsys.readouterr().err.splitlines() == [
        "4 of 5 results; 0:00:00 left",
        "mine.paint on case-1: ValueError: [no] such luck",
        "5 of 5 results; 0:00:00 left",
    ]


def test_it_says_little(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(list(progress.shown([row("ns")] * 100, total=100))) == 100
    assert capsys.readouterr().err == ""
