"""Writes what was measured: every row as CSV, the summary with intervals and win rates as JSON."""

from __future__ import annotations

import csv
import json
import math
import os
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inpainting_models.evaluation.metrics import MEASURES
from inpainting_models.evaluation.randomness import SUITE_VERSION
from inpainting_models.evaluation.run import Row
from inpainting_models.evaluation.statistics import Estimate, estimate, win_rate

GROUPS: dict[str, Callable[[Row], str]] = {
    "family": lambda row: row.family,
    "area": lambda row: row.area,
    "border": lambda row: "border" if row.border else "inner",
    "content": lambda row: row.content,
}
COSTS = frozenset({"passes", "seconds", "peak_mb"})


def write_rows(rows: Sequence[Row], path: Path) -> None:
    """Write one line for each row; a measure that could not be taken is an empty field."""
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    facts = [name for name in Row.__dataclass_fields__ if name != "values"]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(facts + names)
        for row in rows:
            values = [row.value(name) for name in names]
            measured = ["" if math.isnan(value) else f"{value:.6g}" for value in values]
            writer.writerow([*(getattr(row, fact) for fact in facts), *measured])


def read_rows(path: Path) -> list[Row]:
    """Return the rows that `write_rows` wrote."""
    kinds: dict[str, Callable[[str], Any]] = {
        "border": lambda text: text == "True",
        "height": int,
        "width": int,
        "hole_ratio": float,
    }
    rows = []
    with path.open(newline="") as file:
        for line in csv.DictReader(file):
            facts = {name: line.pop(name) for name in Row.__dataclass_fields__ if name != "values"}
            typed = {name: kinds.get(name, str)(text) for name, text in facts.items()}
            rows.append(Row(**typed, values={name: float(text) for name, text in line.items() if text}))
    return rows


def summarise(rows: Sequence[Row], references: Sequence[str], facts: dict[str, Any]) -> dict[str, Any]:
    """Return the summary as plain data; `references` are the methods that every other one is compared with."""
    by_method = grouped(rows, lambda row: row.method)
    return {
        "suite_version": SUITE_VERSION,
        **facts,
        "environment": environment(),
        "cases": len({row.case for row in rows}),
        "photos": len({row.image_sha256 for row in rows}),
        "methods": {
            name: {
                "failed": sum(bool(row.error) for row in own),
                "measures": _estimates(own),
                "profiles": _profiles(own),
                "wins": {
                    other: _wins(own, by_method[other]) for other in references if other in by_method and other != name
                },
                "by": {
                    group: {key: _estimates(part) for key, part in sorted(grouped(own, of).items())}
                    for group, of in GROUPS.items()
                },
            }
            for name, own in by_method.items()
        },
    }


def write_summary(summary: dict[str, Any], path: Path) -> None:
    """Write the summary; JSON has no NaN, so what could not be measured is null."""
    path.write_text(json.dumps(_plain(summary), indent=1) + "\n")


def grouped(rows: Iterable[Row], of: Callable[[Row], str]) -> dict[str, list[Row]]:
    """Return the rows by a key, in the order in which the keys come."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(of(row), []).append(row)
    return groups


def environment() -> dict[str, Any]:
    """Return what times depend on."""
    import cv2
    import numpy as np

    processor = platform.processor() or platform.machine()
    details = Path("/proc/cpuinfo")
    if details.exists():
        named = [line.split(":", 1)[1].strip() for line in details.read_text().splitlines() if "model name" in line]
        processor = named[0] if named else processor
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor,
        "cores": usable,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }


def _estimates(rows: Sequence[Row]) -> dict[str, Any]:
    return {measure.name: asdict(estimate(measure, rows)) for measure in MEASURES}


def _profiles(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    profiles: dict[str, dict[str, float]] = {"error": {}, "sharpness": {}}
    for kind, profile in profiles.items():
        for name in dict.fromkeys(name for row in rows for name in row.values if name.startswith(kind + "_")):
            known = [row.value(name) for row in rows if math.isfinite(row.value(name))]
            if known and name.removeprefix(kind + "_")[0].isdigit():
                profile[name.removeprefix(kind + "_")] = sum(known) / len(known)
    return profiles


def _wins(rows: Sequence[Row], others: Sequence[Row]) -> dict[str, Any]:
    rates: dict[str, Estimate] = {
        measure.name: win_rate(measure, rows, others) for measure in MEASURES if measure.name not in COSTS
    }
    return {name: asdict(rate) for name, rate in rates.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
