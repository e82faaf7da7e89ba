"""Methods are found by their names, and counted passes are the painter's."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from inpainting_models.evaluation.methods import BASELINES, baselines, method, parse_size

from ..test_model_file_painter import FILL, lama_like

PHOTO = np.random.default_rng(7).random((48, 64, 3)).astype(np.float32)
MASK = np.zeros((48, 64), bool)
MASK[16:32, 20:40] = True


def white(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    return np.ones_like(images)


def test_the_baselines_are_always_the_same_five_and_keep_known_pixels() -> None:
    found = baselines()
    assert [baseline.name for baseline in found] == ["mean", "telea", "ns", "ns-grain", "bicubic"]
    for baseline in found:
        filled = baseline.fill(PHOTO, MASK)
        assert filled.passes == 1
        assert (filled.photo[~MASK] == PHOTO[~MASK]).all()
        assert (filled.photo[MASK] != PHOTO[MASK]).any()


def test_a_function_of_ones_own_is_a_painter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "my_painters", sys.modules[white.__module__])
    filled = method("my_painters.white").fill(PHOTO, MASK)
    assert (filled.photo[MASK] == 1).all()
    assert (filled.photo[~MASK] == PHOTO[~MASK]).all()


def test_a_model_file_is_a_painter_with_its_description_behind_a_plus(tmp_path: Path) -> None:
    model = lama_like(tmp_path / "mine.onnx")
    for spec in (f"{model}+lama", f"baseline:{model}+lama@24x32"):
        found = method(spec)
        assert found.fill(PHOTO, MASK).photo[24, 30] == pytest.approx(FILL, abs=1e-6)
        assert (found.name, found.files) == (spec, (model,))
    with pytest.raises(ValueError, match=r"mine\.onnx: needs a description"):
        method(str(model))
    with pytest.raises(ValueError, match=r"nowhere\.onnx: there is no such file"):
        method("detail:nowhere.onnx+lama")
    with pytest.raises(ValueError, match=r"my\.yaml: is neither a preset"):
        method(f"{model}+my.yaml")


def test_a_strategy_makes_the_passes_that_it_plans() -> None:
    assert method("shrinking-mask:ns@24x32").fill(PHOTO, MASK).passes == 4
    assert method("two-step:mean@24x32").fill(PHOTO, MASK).passes == 2


def test_wrong_names_say_what_there_is() -> None:
    with pytest.raises(ValueError, match="no painter 'magic'; there are mean"):
        method("magic")
    with pytest.raises(ValueError, match=r"no strategy 'guess'.*two-step"):
        method("guess:ns")
    with pytest.raises(ValueError, match="needs a strategy"):
        method("ns@20x20")
    with pytest.raises(ValueError, match="no function"):
        method("nowhere.at_all")
    with pytest.raises(ValueError, match="no size '20xx'"):
        method("baseline:ns@20xx")


def test_sizes_are_height_by_width() -> None:
    assert parse_size("512x680") == (512, 680)
    assert parse_size("256") == (256, 256)
    assert BASELINES["bicubic"].endswith("256x340")
