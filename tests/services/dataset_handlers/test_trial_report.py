"""What a trial says fits on a screen and leaves nothing to be guessed."""

from __future__ import annotations

import io
from typing import Any

import pytest

from dataset_handlers.trial import Trial
from dataset_handlers.trial_report import ProgressLine, feature_text, trial_report


@pytest.mark.parametrize(
    ("feature", "text"),
    [
        ({"dtype": "bytes", "shape": [], "encoding": "jpeg", "image_shape": [8, None, 3]}, "JPEG 8x?x3"),
        ({"dtype": "bytes", "shape": [], "encoding": "raw", "raw_dtype": "uint16", "raw_shape": [4]}, "uint16 array 4"),
        ({"dtype": "bytes", "shape": [], "encoding": "utf8"}, "text"),
        ({"dtype": "float32", "shape": [4]}, "float32 4"),
        ({"dtype": "int64", "shape": [None]}, "int64 ?"),
    ],
)
def test_a_feature_is_said_in_words(feature: Any, text: str) -> None:
    assert feature_text(feature) == text


def test_a_trial_says_what_all_samples_would_take() -> None:
    features = {"size": {"dtype": "int64", "shape": []}, "id": {"dtype": "bytes", "shape": [], "encoding": "utf8"}}
    trial = Trial(
        handler="sizes",
        description="",
        sheet="x.png",
        samples=9_000,
        splits={"test": 900, "train": 8_100},
        shown=20,
        examples=38,
        features=features,
        listing_s=2.0,
        example_s=0.5,
        skipped=["a.jpg: is empty"],
        notes=["the split 'validation' is empty"],
    )
    assert trial_report(trial).splitlines() == [
        "sizes: no docstring says what it makes",
        "  samples   9,000: test 900, train 8,100; listed in 2.0 s",
        "  features  size  int64",
        "            id    text",
        "  takes     500 ms for an example (38 examples of 20 samples); about 2.5 h on one core for all 9,000 samples",
        "  left out  a.jpg: is empty",
        "  note      the split 'validation' is empty",
    ]


def test_progress_is_shown_on_a_terminal_only() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal, log = Terminal(), io.StringIO()
    for stream in (terminal, log):
        line = ProgressLine(stream)
        line.show("1 of 2 samples")
        line.end()
    assert "1 of 2 samples" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[K")
    assert log.getvalue() == ""
