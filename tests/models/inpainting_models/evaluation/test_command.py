"""The evaluation's command, from the photos to the pages, and other programs' results."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpainting_models.evaluation.blind import tally
from inpainting_models.evaluation.command import main

SMALL = ["--families", "box", "--limit", "2", "--size", "96x96"]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    assert main([*SMALL, "--methods", "shrinking-mask:ns@48x48", "--out", str(folder)]) == 0
    return folder


def test_a_run_writes_every_result_with_its_baselines(out: Path) -> None:
    with (out / "rows.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 6
    assert {row["known_difference"] for row in rows} == {"0"}
    assert {row["passes"] for row in rows if row["method"].startswith("shrinking")} == {"4"}


def test_the_summary_has_intervals_and_win_rates_and_names_what_was_measured(out: Path) -> None:
    summary = json.loads((out / "summary.json").read_text())
    assert summary["suite_version"] == "darkroom-inpainting-2"
    assert summary["size"] == "96x96"
    assert len(summary["list_sha256"]) == len(summary["masks_sha256"]) == 64
    ns = summary["methods"]["ns"]
    assert ns["measures"]["l1"]["low"] <= ns["measures"]["l1"]["mean"] <= ns["measures"]["l1"]["high"]
    assert set(ns["wins"]) == {"mean", "telea", "ns-grain", "bicubic"}
    assert set(ns["by"]) == {"family", "area", "border", "content"}


def test_the_sheet_shows_pictures_that_exist(out: Path) -> None:
    page = (out / "sheet.html").read_text()
    sources = [part.split("'")[0] for part in page.split("src='")[1:]]
    assert len(sources) == 2 * 8
    assert all((out / source).is_file() for source in sources)
    assert "shrinking-mask:ns@48x48" in page


def test_the_blind_page_tells_nobody_which_method_is_which(out: Path) -> None:
    page = (out / "blind.html").read_text()
    key = json.loads((out / "blind_key.json").read_text())
    assert len(key["pairs"]) == 2 * 15
    assert "ns-grain" not in page
    data = json.loads(page.split("const data = ")[1].split(";\n")[0])
    assert all((out / pair[side]).is_file() for pair in data["pairs"] for side in ("left", "right", "hole"))
    for shown, secret in zip(data["pairs"], key["pairs"], strict=True):
        left = np.array(Image.open(out / shown["left"]))
        safe = secret["left"].replace(":", "-").replace("@", "-")
        assert (left == np.array(Image.open(out / "pictures" / secret["case"] / f"{safe}.png"))).all()


def test_choices_are_counted_for_both_sides(out: Path) -> None:
    key = json.loads((out / "blind_key.json").read_text())
    choices = [
        {"id": pair["id"], "choice": "left" if pair["left"] == "ns" else "right" if pair["right"] == "ns" else "same"}
        for pair in key["pairs"]
    ]
    counted = tally([{"session": key["session"], "choices": choices}], key)
    assert {counted["ns"][other]["preferred"] for other in counted["ns"]} == {1}
    assert counted["mean"]["ns"]["preferred"] == 0
    assert counted["mean"]["telea"]["preferred"] == 0.5
    with pytest.raises(ValueError, match="page 'other'"):
        tally([{"session": "other", "choices": []}], key)


def test_the_tally_command_reads_saved_files(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = json.loads((out / "blind_key.json").read_text())
    saved = tmp_path / "choices.json"
    saved.write_text(
        json.dumps({"session": key["session"], "choices": [{"id": key["pairs"][0]["id"], "choice": "same"}]})
    )
    assert main(["tally", str(out / "blind_key.json"), str(saved)]) == 0
    assert json.loads(capsys.readouterr().out)[key["pairs"][0]["left"]][key["pairs"][0]["right"]]["votes"] == 1


def test_other_programs_results_are_measured_beside_the_baselines(tmp_path: Path) -> None:
    folder, out = tmp_path / "exchange", tmp_path / "out"
    assert main(["export", *SMALL, "--out", str(folder)]) == 0
    cases = sorted(path.name for path in (folder / "input").iterdir())
    shutil.copytree(folder / "truth", folder / "perfect")
    (folder / "careless").mkdir()
    photo = np.array(Image.open(folder / "truth" / cases[0]))
    Image.fromarray(255 - photo).save(folder / "careless" / cases[0])
    Image.fromarray(photo[:50]).save(folder / "careless" / cases[1])
    assert main(["compare", str(folder), "--out", str(out)]) == 0
    methods = json.loads((out / "summary.json").read_text())["methods"]
    assert methods["perfect"]["measures"]["l1"]["mean"] == 0
    assert methods["perfect"]["wins"]["ns"]["l1"]["mean"] == 1
    assert methods["careless"]["failed"] == 1
    assert methods["careless"]["measures"]["known_difference"]["mean"] > 50


def test_a_changed_mask_in_an_exported_folder_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", *SMALL, "--out", str(tmp_path)]) == 0
    case = sorted((tmp_path / "mask").iterdir())[0]
    shutil.copytree(tmp_path / "truth", tmp_path / "theirs")
    Image.fromarray(255 - np.array(Image.open(case))).save(case)
    assert main(["compare", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert f"mask/{case.name} is not the one" in capsys.readouterr().err


def test_exported_inputs_show_nothing_of_the_hole(tmp_path: Path) -> None:
    assert main(["export", *SMALL, "--out", str(tmp_path)]) == 0
    for path in (tmp_path / "input").iterdir():
        hole = np.array(Image.open(tmp_path / "mask" / path.name)) > 0
        assert np.unique(np.array(Image.open(path))[hole]).tolist() == [128]


def test_the_list_of_a_folder_can_be_handed_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        Image.new("RGB", (80, 80), (number, 0, 0)).save(tmp_path / f"{number}.png")
    assert main(["list", "--photos", str(tmp_path), "--limit", "4"]) == 0
    listed = capsys.readouterr().out
    assert len(json.loads(listed)["cases"]) == 4
    manifest = tmp_path / "list.json"
    manifest.write_text(listed)
    assert main(["list", "--photos", str(tmp_path), "--manifest", str(manifest), "--limit", "4"]) == 0
    assert capsys.readouterr().out == listed
    (tmp_path / "0.png").unlink()
    assert main(["list", "--photos", str(tmp_path), "--manifest", str(manifest)]) == 2
    assert "0.png is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--methods", "magic"], "no painter 'magic'"),
        (["--families", "star"], "no mask family 'star'"),
        (["--size", "big"], "no size 'big'"),
        (["--per-cell", "0"], "--per-cell 0"),
        (["--areas", "1-10,2-3"], "no area '2-3'; there are 1-10, 10-20,"),
        (["--suite", "full"], "needs --photos"),
        (["compare", "."], "suite.json"),
    ],
)
def test_wrong_arguments_are_named(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main([*arguments, "--out", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err


def test_the_module_runs_by_its_name() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "inpainting_models.evaluate", "--help"], capture_output=True, text=True, check=True
    )
    assert "compare" in done.stdout
