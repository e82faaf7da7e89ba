"""A part's log is kept, and what it warns of is told."""

import json

import pytest

from darkroom_client.up_part import ending, rotate, warning_in


def test_a_warning_is_told_in_words_and_news_are_not():
    line = json.dumps({"event": "store_waits", "level": "warning", "timestamp": "2024", "endpoint": "localhost:9000"})
    assert warning_in(line) == "store waits: endpoint=localhost:9000"
    assert warning_in(json.dumps({"event": "ready", "level": "info"})) is None


@pytest.mark.parametrize("line", ["", "Traceback (most recent call last):", "[1, 2]", "3", '{"event": "x"}'])
def test_a_line_that_is_no_entry_is_left_to_the_log(line):
    assert warning_in(line) is None


def test_the_logs_of_the_last_five_runs_are_kept(tmp_path):
    log = tmp_path / "logs" / "runner.log"
    for run in range(8):
        rotate(log)
        log.write_text(f"run {run}")
    assert sorted(file.read_text() for file in log.parent.iterdir()) == [f"run {run}" for run in range(2, 8)]
    assert log.read_text() == "run 7"
    assert log.with_name("runner.log.1").read_text() == "run 6"


def test_how_a_process_ended_is_said_in_words():
    assert ending(-9) == "killed by SIGKILL"
    assert ending(2) == "exit code 2"
