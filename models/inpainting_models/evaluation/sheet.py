"""Writes the sheet: one HTML page with every table, the profiles by distance, and pictures to look at."""

from __future__ import annotations

import html
import math
import os
from pathlib import Path
from typing import Any

from inpainting_models.evaluation.charts import line_chart
from inpainting_models.evaluation.metrics import BY_NAME, MEASURES, Measure
from inpainting_models.evaluation.page_style import STYLE
from inpainting_models.evaluation.pictures import Album
from inpainting_models.evaluation.tables import COSTS, GROUPS

# Each looks at another side of a retouch; the tables by family and size would be unreadable with all.
HEADLINES = ("l1", "gradient_ratio", "texture_distance", "edge_continuation", "colour_shift", "seam")

_READING = """Means over the cases, with 95 % bootstrap intervals over photos below; the best of each column is bold.
PSNR, SSIM and L1 favour a blur: a smooth average of everything possible is nearest to any truth. Noise on a blur brings
the gradient ratio to 1. A good result is near the truth in <em>texture distance</em> and <em>edges continued</em> as
well, and beats <code>ns-grain</code>, which is just that: a blur with the surroundings' grain."""


def write_sheet(summary: dict[str, Any], album: Album, path: Path) -> None:
    """Write the page; its pictures are linked, relative to it."""
    methods = summary["methods"]
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width'>",
        f"<title>Inpainting suite: {summary['cases']} cases</title><style>{STYLE}</style>",
        "<h1>Inpainting suite</h1>",
        f"<p>{_facts(summary)}</p>",
        "<h2>All measures</h2>",
        f"<p>{_READING}</p>",
        _table(methods, MEASURES),
        "<h2>Win rates</h2>",
        "<p>In which part of the cases a method is better than each baseline, ties counting half; green: better for"
        " sure (the interval lies above one half), red: worse for sure.</p>",
        *(_win_table(methods, other) for other in _references(methods)),
        "<h2>By distance from the rim</h2>",
        "<p>How the error grows and sharpness fades towards the middle of the holes.</p>",
        _profiles(methods),
    ]
    parts += ["<h2>Pictures</h2>", *(_case(case, album, path.parent) for case in album.cases)]
    for group in GROUPS:
        parts += [f"<h2>By {group}</h2>", _group_table(methods, group)]
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")


def _facts(summary: dict[str, Any]) -> str:
    environment = summary["environment"]
    failed = {name: method["failed"] for name, method in summary["methods"].items() if method["failed"]}
    lines = [
        f"{summary['cases']} holes on {summary['photos']} photos, at {summary['size']}.",
        f"Suite <code>{summary['suite_version']}</code>, photos <code>{summary['list_sha256'][:16]}</code>, holes"
        f" <code>{summary['masks_sha256'][:16]}</code>.",
        f"{environment['processor']}, {environment['cores']} cores, Python {environment['python']},"
        f" NumPy {environment['numpy']}, OpenCV {environment['opencv']}.",
    ]
    if failed:
        lines.append("Failed: " + ", ".join(f"{html.escape(name)} {count}" for name, count in failed.items()) + ".")
    return "<br>".join(lines)


def _table(methods: dict[str, Any], measures: tuple[Measure, ...]) -> str:
    head = "".join(f"<th>{measure.title}<br><small>{_aim(measure)}</small></th>" for measure in measures)
    best = {measure.name: _best(measure, methods) for measure in measures}
    rows = []
    for name, method in methods.items():
        cells = [_cell(method["measures"][measure.name], name in best[measure.name]) for measure in measures]
        rows.append(f"<tr><td title='{html.escape(method.get('description', ''))}'>{html.escape(name)}</td>")
        rows.append("".join(cells) + "</tr>")
    return f"<div class='scroll'><table><tr><th></th>{head}</tr>{''.join(rows)}</table></div>"


def _cell(estimate: dict[str, Any], best: bool) -> str:
    if not estimate["cases"]:
        return "<td>–</td>"
    mean, low, high = (_number(estimate[key]) for key in ("mean", "low", "high"))
    return (
        f"<td{' class=best' if best else ''} title='{estimate['cases']} cases'>{mean}<small>{low} … {high}</small></td>"
    )


def _best(measure: Measure, methods: dict[str, Any]) -> set[str]:
    losses = {
        name: measure.loss(method["measures"][measure.name]["mean"])
        for name, method in methods.items()
        if method["measures"][measure.name]["cases"]
    }
    if len(set(losses.values())) < 2:
        return set()
    return {name for name, loss in losses.items() if loss == min(losses.values())}


def _references(methods: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(other for method in methods.values() for other in method["wins"]))


def _win_table(methods: dict[str, Any], other: str) -> str:
    measures = [measure for measure in MEASURES if measure.name not in COSTS]
    head = "".join(f"<th>{measure.title}</th>" for measure in measures)
    rows = []
    for name, method in methods.items():
        if other not in method["wins"]:
            continue
        cells = []
        for measure in measures:
            rate = method["wins"][other][measure.name]
            if not rate["cases"]:
                cells.append("<td>–</td>")
                continue
            sure = "win" if rate["low"] > 0.5 else "loss" if rate["high"] < 0.5 else ""
            span = f"{rate['low']:.0%} … {rate['high']:.0%}"
            cells.append(f"<td class='{sure}'>{rate['mean']:.0%}<small>{span}</small></td>")
        rows.append(f"<tr><td>{html.escape(name)}</td>{''.join(cells)}</tr>")
    title = f"<h3>Against {html.escape(other)}</h3>"
    return f"{title}<div class='scroll'><table><tr><th></th>{head}</tr>{''.join(rows)}</table></div>"


def _group_table(methods: dict[str, Any], group: str) -> str:
    keys = list(dict.fromkeys(key for method in methods.values() for key in method["by"][group]))
    tables = []
    for key in keys:
        part = {
            name: {"measures": method["by"][group][key]}
            for name, method in methods.items()
            if key in method["by"][group]
        }
        table = _table(part, tuple(BY_NAME[name] for name in HEADLINES))
        tables.append(f"<div><h3>{html.escape(key)}</h3>{table}</div>")
    return f"<div class='charts'>{''.join(tables)}</div>"


def _profiles(methods: dict[str, Any]) -> str:
    charts = []
    for kind, title in (("error", "L1, % of range"), ("sharpness", "gradient ratio, result over truth")):
        lines = {name: method["profiles"][kind] for name, method in methods.items()}
        charts.append(line_chart(title, "distance from the rim, px", lines, target=1 if kind == "sharpness" else None))
    return f"<div class='charts'>{''.join(charts)}</div>"


def _case(case: str, album: Album, folder: Path) -> str:
    shown = [("_truth", "the truth"), ("_hole", "the hole"), *((name, name) for name in album.results[case])]
    figures = []
    for method, caption in shown:
        link = html.escape(Path(os.path.relpath(album.path(case, method), folder)).as_posix())
        image = f"<a href='{link}'><img loading='lazy' src='{link}' alt='{html.escape(caption)}'></a>"
        figures.append(f"<figure>{image}<figcaption>{html.escape(caption)}</figcaption></figure>")
    return f"<div class='case'><h3>{html.escape(case)}</h3><div class='strip'>{''.join(figures)}</div></div>"


def _aim(measure: Measure) -> str:
    aims = {"high": "higher is better", "low": "lower is better", "one": "1 is best", "zero": "0 is best"}
    return ", ".join(text for text in (measure.unit, aims[measure.best]) if text)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "–"
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"
