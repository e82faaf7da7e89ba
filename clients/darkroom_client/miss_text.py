"""Says in words why a dataset is not there yet: in what the nearest ones differ, and what a build would cost."""

from __future__ import annotations

import json
from typing import Any

from darkroom_client.output import size_text
from darkroom_client.progress_text import duration_text
from darkroom_client.resolution import BuildCost, Difference, NearDataset, RawDifference, Resolution

_DIGEST_DIGITS = 12
# Values that are digests: their beginning tells them apart.
_DIGESTS = ("commit", "lock")
_SAME = "same"
# Fields that one line names.
_NAMED = 4


def miss_table(found: Resolution) -> tuple[list[str], list[list[str]]]:
    """Return titles and rows: each field that differs, what was asked, and what each of the nearest has."""
    fields = list(dict.fromkeys(each.field for near in found.nearest for each in near.differences))
    asked = {each.field: each for near in reversed(found.nearest) for each in near.differences}
    rows = []
    for field in fields:
        theirs = [next((each for each in near.differences if each.field == field), None) for near in found.nearest]
        rows.append(
            [
                field.removeprefix("config."),
                value_text(field, asked[field].asked),
                *(_SAME if each is None else value_text(field, each.other) for each in theirs),
            ]
        )
    return ["differs in", "asked", *(near.dataset.key[:_DIGEST_DIGITS] for near in found.nearest)], rows


def nearest_line(found: Resolution) -> str:
    """Return ``nearest: KEY, differs in config.image_size ([64, 64], asked [32, 32])``; empty if nothing is near."""
    if not found.nearest:
        return ""
    near = found.nearest[0]
    parts = [_difference_text(each) for each in near.differences[:_NAMED]]
    more = f" and {len(near.differences) - _NAMED} more" if len(near.differences) > _NAMED else ""
    return f"nearest: {near.dataset.key[:_DIGEST_DIGITS]}, differs in {', '.join(parts)}{more}"


def raw_lines(near: NearDataset) -> list[str]:
    """Return a line for each raw dataset that differs: how many files, and the first of them."""
    return [
        f"{each.field} against {near.dataset.key[:_DIGEST_DIGITS]}: {raw_text(each.raw)}"
        for each in near.differences
        if each.raw is not None
    ]


def _difference_text(each: Difference) -> str:
    if each.raw is not None:
        return f"{each.field} ({raw_text(each.raw)})"
    return f"{each.field} ({value_text(each.field, each.other)}, asked {value_text(each.field, each.asked)})"


def raw_text(raw: RawDifference) -> str:
    """Return ``2 added: a.jpg, b.jpg; 1 removed: c.jpg``."""
    parts = []
    for count, word, names in (
        (raw.added_count, "added", raw.added),
        (raw.removed_count, "removed", raw.removed),
        (raw.changed_count, "changed", raw.changed),
    ):
        if count:
            more = f" and {count - len(names):,} more" if count > len(names) else ""
            parts.append(f"{count:,} {word}: {', '.join(names)}{more}")
    return "; ".join(parts) or "the same files"


def cost_line(cost: BuildCost) -> str:
    """Return what a build would come to, and on what that rests."""
    what = f"about {cost.example_count:,} examples, {size_text(cost.size_bytes)}, {duration_text(cost.build_time)}"
    return f"a build: {what} (by {cost.basis})"


def value_text(field: str, value: Any) -> str:
    """Return a value as a table shows it."""
    if value is None or value == "":
        return "-"
    if isinstance(value, str):
        return value[:_DIGEST_DIGITS] if field in _DIGESTS or field.startswith("raw.") else value
    if isinstance(value, dict):
        return " ".join(str(item) for item in value.values())
    return json.dumps(value, ensure_ascii=False)
