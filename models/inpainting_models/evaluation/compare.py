"""Lets other programs take part: hands out the suite's photos and holes, and measures the folder that comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inpainting_models.evaluation.images import SuiteImage, read_rgb
from inpainting_models.evaluation.methods import Method
from inpainting_models.evaluation.pictures import Picture, write_png
from inpainting_models.evaluation.run import Row, measured, row_of, run_case
from inpainting_models.evaluation.suite import Case, Cell, Prepared, prepare

SUITE_FILE = "suite.json"
OWN_FOLDERS = ("input", "mask", "truth")


class NotASuite(Exception):
    """A folder is no exported suite, or was changed since."""


def export(cases: Iterable[Case], size: tuple[int, int] | None, folder: Path, facts: dict[str, Any]) -> int:
    """Write each case as `input/CASE.png` (its hole grey), `mask/CASE.png` (white = hole) and `truth/CASE.png`.

    A program's results belong beside them, as `PROGRAM/CASE.png`. Returns the number of cases.
    """
    for name in OWN_FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    written = []
    for case in cases:
        prepared = prepare(case, size)
        shown = prepared.truth.copy()
        shown[prepared.mask] = 128
        mask = np.where(prepared.mask, 255, 0).astype(np.uint8)
        for name, picture in zip(OWN_FOLDERS, (shown, mask, prepared.truth), strict=True):
            write_png(folder / name / f"{case.name}.png", picture)
        written.append(
            {
                "case": case.name,
                "image": case.image.name,
                "image_sha256": case.image.sha256,
                "content": case.image.content,
                "mask_sha256": prepared.mask_sha256,
                "family": case.cell.family,
                "area": list(case.cell.area),
                "border": case.cell.border,
                "variant": case.variant,
            }
        )
    (folder / SUITE_FILE).write_text(json.dumps(facts | {"cases": written}, indent=1) + "\n")
    return len(written)


def read_facts(folder: Path) -> dict[str, Any]:
    """Return the facts that `export` was given. Raises `NotASuite`."""
    path = folder / SUITE_FILE
    if not path.is_file():
        raise NotASuite(f"{folder} has no {SUITE_FILE}: `evaluate export --out {folder}` makes one")
    facts: dict[str, Any] = json.loads(path.read_text())
    return facts


def programs(folder: Path) -> list[str]:
    """Return the names of the programs whose results lie in the folder."""
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.is_dir() and path.name not in OWN_FOLDERS and not path.name.startswith(".")
    )


def exported_cases(folder: Path) -> list[Case]:
    """Return the folder's cases, without their pictures."""
    return [_case(folder, entry) for entry in read_facts(folder)["cases"]]


def compare(
    folder: Path,
    names: Iterable[str],
    methods: Sequence[Method],
    see: Callable[[Prepared, Row, Picture], None] = lambda prepared, row, picture: None,
) -> Iterator[Row]:
    """Yield the rows of the methods and of each program's results; a missing or misshapen one's says so."""
    names = list(names)
    for entry in read_facts(folder)["cases"]:
        prepared = _read(folder, entry)
        yield from run_case(prepared, methods, see)
        for name in names:
            row, picture = _result(folder, name, prepared)
            if picture is not None:
                see(prepared, row, picture)
            yield row


def _result(folder: Path, name: str, prepared: Prepared) -> tuple[Row, Picture | None]:
    found = [path for path in (folder / name).glob(f"{prepared.case.name}.*") if path.is_file()]
    picture, problem = None, ""
    if not found:
        problem = f"no {name}/{prepared.case.name}.png"
    else:
        try:
            picture = read_rgb(found[0])
        except OSError as unreadable:
            problem = f"{found[0].name}: {unreadable}"
    if picture is not None and picture.shape != prepared.truth.shape:
        problem = f"{found[0].name} is {_size(picture)}, the photo is {_size(prepared.truth)}"
        picture = None
    if picture is None:
        return row_of(prepared, name, error=problem), None
    return measured(prepared, name, picture), picture


def _case(folder: Path, entry: dict[str, Any]) -> Case:
    path = folder / "truth" / f"{entry['case']}.png"
    image = SuiteImage(entry["image"], entry["image_sha256"], path, entry["content"])
    cell = Cell(entry["family"], (entry["area"][0], entry["area"][1]), entry["border"])
    return Case(image, cell, entry["variant"])


def _read(folder: Path, entry: dict[str, Any]) -> Prepared:
    case = _case(folder, entry)
    mask = read_rgb(folder / "mask" / f"{entry['case']}.png")[:, :, 0] > 127
    prepared = Prepared(case, read_rgb(case.image.path), mask)
    if prepared.mask_sha256 != entry["mask_sha256"] or prepared.truth.shape[:2] != mask.shape:
        raise NotASuite(f"mask/{entry['case']}.png is not the one that was exported")
    return prepared


def _size(picture: Picture) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]}"
