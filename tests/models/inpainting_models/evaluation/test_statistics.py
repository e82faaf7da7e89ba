"""Intervals and win rates on cases whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from inpainting_models.evaluation.metrics import BY_NAME
from inpainting_models.evaluation.run import Row
from inpainting_models.evaluation.statistics import estimate, interval, win_rate


def row(case: str, value: float, measure: str = "l1", method: str = "a", photo: str = "", error: str = "") -> Row:
    values = {} if error else {measure: value}
    return Row(case, "i", photo or case, "m", "thin", "0-1", True, "", 9, 9, 0.1, method, error, values)


def test_the_interval_of_equal_values_is_a_point() -> None:
    found = interval(np.full(10, 3.0), [str(number) for number in range(10)])
    assert (found.mean, found.low, found.high, found.cases) == (3, 3, 3, 10)


def test_the_interval_is_about_two_standard_errors() -> None:
    values = np.random.default_rng(6).normal(5, 1, 400)
    found = interval(values, [str(number) for number in range(400)])
    assert found.low < values.mean() < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 / 20, rel=0.15)


def test_many_cases_on_one_photo_count_as_one() -> None:
    values = np.repeat([1.0, 2.0, 3.0, 4.0], 100)
    alone = interval(values, [str(number) for number in range(400)])
    together = interval(values, [str(number // 100) for number in range(400)])
    assert together.high - together.low > 5 * (alone.high - alone.low)


def test_nothing_measured_is_no_number() -> None:
    assert math.isnan(interval(np.array([]), []).mean)
    assert estimate(BY_NAME["l1"], [row("a", math.nan), row("b", 0, error="broken")]).cases == 0


def test_ratios_are_averaged_by_their_logarithms() -> None:
    found = estimate(BY_NAME["gradient_ratio"], [row("a", 0.5, "gradient_ratio"), row("b", 2.0, "gradient_ratio")])
    assert found.mean == pytest.approx(1)


def test_a_win_is_smaller_larger_nearer_to_one_or_to_zero() -> None:
    for measure, better, worse in (
        ("l1", 1.0, 2.0),
        ("psnr", 30.0, 20.0),
        ("gradient_ratio", 0.8, 1.5),
        ("gradient_ratio", 1.3, 0.5),
        ("sharpness_step", -0.1, 0.4),
    ):
        rows, others = [row("a", better, measure)], [row("a", worse, measure, "b")]
        assert win_rate(BY_NAME[measure], rows, others).mean == 1
        assert win_rate(BY_NAME[measure], others, rows).mean == 0


def test_win_rates_pair_cases_and_ties_count_half() -> None:
    rows = [row("a", 1), row("b", 2), row("c", 3), row("only mine", 9)]
    others = [row("b", 2), row("c", 2), row("a", 2)]
    found = win_rate(BY_NAME["l1"], rows, others)
    assert found.mean == pytest.approx(0.5)
    assert found.cases == 3


def test_a_failure_loses_and_a_missing_measure_is_left_out() -> None:
    rows = [row("a", 0, error="out of memory"), row("b", math.nan)]
    assert win_rate(BY_NAME["l1"], rows, [row("a", 9), row("b", 9)]).mean == 0
    assert win_rate(BY_NAME["l1"], [row("a", 9), row("b", 9)], rows).mean == 1
    assert win_rate(BY_NAME["l1"], rows, [row("a", 9), row("b", 9)]).cases == 1


def test_the_same_rows_have_the_same_interval() -> None:
    rows = [row(str(number), number % 7) for number in range(30)]
    assert estimate(BY_NAME["l1"], rows) == estimate(BY_NAME["l1"], rows)
