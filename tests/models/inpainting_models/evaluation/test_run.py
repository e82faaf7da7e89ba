"""Running a suite: what a method sees, and what is measured of it."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inpainting_models.evaluation.images import shipped_images
from inpainting_models.evaluation.methods import Filled, Method
from inpainting_models.evaluation.metrics import MEASURES, content_of, measure
from inpainting_models.evaluation.run import run
from inpainting_models.evaluation.suite import cells, plan, prepare
from inpainting_models.evaluation.tables import read_rows, write_rows

CASES = plan(shipped_images(), cells(["blob"])[:2], 1)
SIZE = (128, 128)


def copies(case_number: int) -> Method:
    truth = prepare(CASES[case_number], SIZE).truth.astype(np.float32) / 255
    return Method("copy", lambda photo, mask: Filled(truth, 1))


def test_a_perfect_copy_measures_perfectly() -> None:
    (row,) = run(CASES[:1], [copies(0)], SIZE)
    assert row.error == ""
    assert row.value("l1") == row.value("texture_distance") == row.value("colour_shift") == 0
    assert row.value("gradient_ratio") == row.value("seam") == 1
    assert row.value("known_difference") == 0
    assert row.value("edge_continuation") in (1.0,) or math.isnan(row.value("edge_continuation"))
    assert {measure.name for measure in MEASURES} <= set(row.values)


def test_the_hole_never_reaches_the_method() -> None:
    seen = []

    def look(photo: np.ndarray, mask: np.ndarray) -> Filled:
        seen.append(np.unique(photo[mask]))
        return Filled(photo, 0)

    list(run(CASES, [Method("look", look)], SIZE))
    assert all(values.tolist() == [0.5] for values in seen)


def test_a_failing_method_has_rows_that_say_why_and_the_others_go_on() -> None:
    def fails(photo: np.ndarray, mask: np.ndarray) -> Filled:
        raise MemoryError("too large")

    rows = list(run(CASES[:1], [Method("fails", fails), copies(0)], SIZE))
    assert [row.error for row in rows] == ["MemoryError: too large", ""]


def test_changed_known_pixels_are_told_and_spoil_nothing_else() -> None:
    truth = prepare(CASES[0], SIZE).truth
    changed = truth.astype(np.float32) / 255
    changed = np.where(prepare(CASES[0], SIZE).mask[:, :, None], changed, 1 - changed)
    (row,) = run(CASES[:1], [Method("changes", lambda photo, mask: Filled(changed, 1))], SIZE)
    assert row.value("known_difference") > 50
    assert row.value("l1") == 0
    assert row.value("seam") == 1


def test_rows_come_back_from_their_table(tmp_path: Path) -> None:
    rows = list(run(CASES, [copies(0)], SIZE))
    write_rows(rows, tmp_path / "rows.csv")
    again = read_rows(tmp_path / "rows.csv")
    assert [(row.case, row.border, row.height, row.method) for row in again] == [
        (row.case, row.border, row.height, row.method) for row in rows
    ]
    assert again[0].value("seconds") == pytest.approx(rows[0].value("seconds"), rel=1e-4)
    assert again[0].values.keys() == {name for name, value in rows[0].values.items() if not math.isnan(value)}


def test_measuring_needs_a_hole_and_equal_sizes() -> None:
    photo = np.zeros((16, 16, 3), np.uint8)
    with pytest.raises(ValueError, match="empty"):
        measure(photo, photo, np.zeros((16, 16), bool))
    with pytest.raises(ValueError, match="sizes differ"):
        measure(photo, photo[:8], np.ones((16, 16), bool))


def test_content_is_told_by_the_truth() -> None:
    mask = np.zeros((128, 128), bool)
    mask[40:90, 40:90] = True
    flat = np.full((128, 128, 3), 90, np.uint8)
    stripes = flat.copy()
    stripes[:, 60:] = 200
    noise = np.random.default_rng(8).normal(128, 6, flat.shape).clip(0, 255).astype(np.uint8)
    assert content_of(flat, mask) == "smooth"
    assert content_of(noise, mask) == "texture"
    assert content_of(np.clip(stripes + (noise // 8), 0, 255).astype(np.uint8), mask) in ("structure", "smooth")


def test_the_peak_of_memory_is_seen_even_when_it_is_free_again() -> None:
    # In a process of its own: what other tests leave to be freed meanwhile would hide the peak.
    code = (
        "import numpy as np\n"
        "from inpainting_models.evaluation.peak_memory import peak_memory\n"
        "with peak_memory() as peak: np.ones(40 << 20, np.uint8).sum()\n"
        "with peak_memory() as idle: pass\n"
        "print(peak.added_mb, idle.added_mb)\n"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    peak_mb, idle_mb = map(float, printed.split())
    assert 38 < peak_mb < 80
    assert idle_mb < 20
