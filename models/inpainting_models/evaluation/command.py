"""Reads the evaluation's command line and does what it says."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inpainting_models.evaluation import compare as comparison
from inpainting_models.evaluation.blind import tally, write_blind
from inpainting_models.evaluation.hole_masks import FAMILIES
from inpainting_models.evaluation.images import (
    ListMismatch,
    SuiteImage,
    folder_images,
    list_sha256,
    manifest_images,
    manifest_of,
    shipped_images,
)
from inpainting_models.evaluation.journal import Journal
from inpainting_models.evaluation.methods import BASELINES, Method, baselines, method, parse_size
from inpainting_models.evaluation.pictures import Album, shown_cases
from inpainting_models.evaluation.progress import shown
from inpainting_models.evaluation.randomness import SUITE_VERSION
from inpainting_models.evaluation.run import Row, run
from inpainting_models.evaluation.sheet import write_sheet
from inpainting_models.evaluation.suite import BINS, Case, cells, plan
from inpainting_models.evaluation.tables import environment, summarise, write_rows, write_summary

COMMANDS = ("run", "list", "export", "compare", "tally")


@dataclass(frozen=True)
class Extent:
    """How much of the suite is done."""

    size: str
    bins: tuple[tuple[float, float], ...]
    per_cell: int


EXTENTS = {
    "small": Extent("256x256", (BINS[0], BINS[2], BINS[5]), 1),
    "full": Extent("512x680", BINS, 20),
}


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; `run` may be left out. Returns the exit code."""
    if not arguments or (arguments[0] not in COMMANDS and arguments[0] not in ("-h", "--help")):
        arguments = ["run", *arguments]
    options = _parser().parse_args(arguments)
    try:
        options.do(options)
    except (ListMismatch, comparison.NotASuite, ValueError, OSError) as wrong:
        print(f"evaluate: {wrong}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        kept = "; what was measured is kept, and the same command goes on there" if options.do is _run else ""
        print(f"evaluate: stopped{kept}", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m inpainting_models.evaluate",
        description="Measures painters on the seeded suite. Always measured: " + ", ".join(BASELINES) + ".",
    )
    commands = parser.add_subparsers(required=True, metavar="{" + ",".join(COMMANDS) + "}")

    running = commands.add_parser("run", help="paint, measure and write tables, the sheet and the blind page (default)")
    _add_extent(running)
    _add_output(running)
    running.set_defaults(do=_run)

    listing = commands.add_parser("list", help="write the list of photos with their hashes, and the cases, as JSON")
    _add_extent(listing)
    listing.set_defaults(do=_list)

    exporting = commands.add_parser("export", help="write photos and holes for other programs")
    _add_extent(exporting)
    exporting.add_argument("--out", type=Path, required=True, help="the folder to write")
    exporting.set_defaults(do=_export)

    comparing = commands.add_parser("compare", help="measure other programs' results in an exported folder")
    comparing.add_argument("folder", type=Path, metavar="DIR", help="what `export` wrote, with PROGRAM/CASE.png added")
    _add_output(comparing)
    comparing.set_defaults(do=_compare)

    counting = commands.add_parser("tally", help="count the choices of the blind page")
    counting.add_argument("key", type=Path, help="blind_key.json of the run")
    counting.add_argument("choices", type=Path, nargs="+", help="files that the page saved")
    counting.set_defaults(do=_tally)
    return parser


def _add_extent(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--suite", choices=EXTENTS, help="small: scikit-image's photos; full: a folder's (the default"
                        " where --photos is given)")  # fmt: skip
    parser.add_argument("--photos", type=Path, metavar="DIR", help="measure on this folder's photos")
    parser.add_argument("--manifest", type=Path, metavar="FILE", help="on those that `list` listed, hashes checked")
    parser.add_argument("--size", help="HEIGHTxWIDTH of the photos, or native")
    parser.add_argument("--per-cell", type=int, metavar="N", help="holes for each family, size and border")
    parser.add_argument("--areas", help="only these bins of the photo's area in percent, as in 1-10,10-20")
    parser.add_argument("--families", default=",".join(FAMILIES), help="of holes, with commas between")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N cases")


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--methods", default="", help="with commas between: PAINTER, STRATEGY:PAINTER[@HEIGHTxWIDTH];"
                        " PAINTER can be a model file (its description behind a +, as in lama.onnx+lama) or"
                        " package.module.function")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("evaluation"), help="the folder to write (./evaluation)")
    parser.add_argument("--shown", type=int, default=24, metavar="N", help="cases with pictures on the sheet")
    parser.add_argument("--pairs", type=int, default=60, metavar="N", help="pairs on the blind page")


def _run(options: argparse.Namespace) -> None:
    images, cases, size = _planned(options)
    methods = _methods(options.methods)
    album = Album(options.out / "pictures", shown_cases(cases, options.shown))
    facts = {"list_sha256": list_sha256(images), "size": _size_text(size)}
    names = [method.name for method in methods]
    journal = Journal(options.out / "unfinished.jsonl", facts | environment(), methods, album.take_up)
    ready = sum(journal.has(case.name, name) for case in cases for name in names)
    if ready:
        print(f"{ready} results are there from a run that was stopped ({journal.path})", file=sys.stderr)
    measured = journal.keep(run(cases, methods, size, album.see, journal.has))
    for _ in shown(measured, len(cases) * len(names), ready):
        pass
    rows = [journal.get(case.name, name) for case in cases for name in names]
    _write(options, rows, methods, album, facts)
    journal.end()


def _list(options: argparse.Namespace) -> None:
    images, cases, size = _planned(options)
    facts = {"suite_version": SUITE_VERSION, "size": _size_text(size)}
    print(json.dumps(facts | manifest_of(images) | {"cases": [case.name for case in cases]}, indent=1))


def _export(options: argparse.Namespace) -> None:
    images, cases, size = _planned(options)
    facts = {"suite_version": SUITE_VERSION, "list_sha256": list_sha256(images), "size": _size_text(size)}
    count = comparison.export(cases, size, options.out, facts)
    print(f"{count} cases in {options.out}: put results there as PROGRAM/CASE.png, then `compare {options.out}`")


def _compare(options: argparse.Namespace) -> None:
    facts = comparison.read_facts(options.folder)
    names = comparison.programs(options.folder)
    if not names:
        raise comparison.NotASuite(f"{options.folder} has no program's results: put them there as PROGRAM/CASE.png")
    methods = _methods(options.methods)
    twice = sorted({method.name for method in methods} & set(names))
    if twice:
        raise ValueError(f"the folder {twice[0]!r} has the name of a method: rename it")
    cases = comparison.exported_cases(options.folder)
    album = Album(options.out / "pictures", shown_cases(cases, options.shown))
    measured = comparison.compare(options.folder, names, methods, album.see)
    rows = list(shown(measured, len(cases) * (len(methods) + len(names))))
    _write(options, rows, methods, album, {name: facts[name] for name in ("list_sha256", "size")})


def _tally(options: argparse.Namespace) -> None:
    choices = [json.loads(path.read_text()) for path in options.choices]
    print(json.dumps(tally(choices, json.loads(options.key.read_text())), indent=1))


def _planned(options: argparse.Namespace) -> tuple[list[SuiteImage], list[Case], tuple[int, int] | None]:
    extent = EXTENTS[options.suite or ("full" if options.photos else "small")]
    if options.manifest and not options.photos:
        raise ValueError("--manifest needs --photos, the folder in which its photos lie")
    if options.suite == "full" and not options.photos:
        raise ValueError("the full suite needs --photos, a folder of photos")
    if options.manifest:
        images = manifest_images(options.manifest, options.photos)
    else:
        images = folder_images(options.photos) if options.photos else shipped_images()
    families = [name.strip() for name in options.families.split(",")]
    unknown = sorted(set(families) - set(FAMILIES))
    if unknown:
        raise ValueError(f"no mask family {unknown[0]!r}; there are {', '.join(FAMILIES)}")
    per_cell = extent.per_cell if options.per_cell is None else options.per_cell
    if per_cell < 1:
        raise ValueError(f"--per-cell {per_cell}: at least 1 is needed")
    bins = _bins(options.areas) if options.areas else extent.bins
    cases = plan(images, cells(families, bins), per_cell)[: options.limit]
    size = options.size or extent.size
    return images, cases, None if size == "native" else parse_size(size)


def _bins(areas: str) -> list[tuple[float, float]]:
    known = {f"{100 * low:g}-{100 * high:g}": (low, high) for low, high in BINS}
    wanted = [each.strip() for each in areas.split(",")]
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise ValueError(f"no area {unknown[0]!r}; there are {', '.join(known)}")
    return [known[each] for each in wanted]


def _methods(specs: str) -> list[Method]:
    wanted = [spec.strip() for spec in specs.split(",") if spec.strip()]
    return baselines() + [method(spec) for spec in dict.fromkeys(wanted) if spec not in BASELINES]


def _write(
    options: argparse.Namespace, rows: list[Row], methods: Sequence[Method], album: Album, facts: dict[str, Any]
) -> None:
    masks = sorted({f"{row.case} {row.mask_sha256}\n" for row in rows})
    facts = facts | {"masks_sha256": hashlib.sha256("".join(masks).encode()).hexdigest()}
    summary = summarise(rows, list(BASELINES), facts)
    for known in methods:
        summary["methods"][known.name]["description"] = known.description
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    write_rows(rows, out / "rows.csv")
    write_summary(summary, out / "summary.json")
    write_sheet(summary, album, out / "sheet.html")
    pairs = write_blind(album, list(summary["methods"]), out / "blind.html", out / "blind_key.json", options.pairs)
    print(f"{len(rows)} results on {summary['cases']} cases: {out / 'sheet.html'}, rows.csv, summary.json,"
          f" blind.html ({pairs} pairs; its key is blind_key.json)")  # fmt: skip


def _size_text(size: tuple[int, int] | None) -> str:
    return "native size" if size is None else f"{size[0]}x{size[1]}"
