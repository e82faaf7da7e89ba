"""Knows what a COCO annotation file holds, and where in it: photos, categories, and each annotation's place.

The file of the real thing has 450 MB. It is read once in a process, item by item, and only numbers are kept (50 bytes
for each annotation); masks are read from their places when they are wanted.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np

from dataset_handlers.errors import RawMissing
from dataset_handlers.json_spans import Span, read_lists, read_span


class CocoPhoto(NamedTuple):
    """One entry of ``images``."""

    image_id: int
    file_name: str
    height: int
    width: int


class CocoIndex(NamedTuple):
    """One annotation file; ``annotations`` are sorted by photo, those of one photo in the file's order."""

    photos: List[CocoPhoto]
    categories: Dict[int, str]
    image_ids: Any
    category_ids: Any
    crowds: Any
    areas: Any
    spans: Any
    """int64 ``(annotations, 2)``: offset and length."""


def read_index(path: Path) -> CocoIndex:
    """Returns what ``path`` holds; raises ``RawMissing`` for what is no annotation file."""
    stat = os.stat(path)
    return _read_index(str(path), stat.st_size, stat.st_mtime_ns, stat.st_ino)


def read_annotations(path: Path, spans: Any) -> List[Dict[str, Any]]:
    """Returns the annotations at ``spans``, pairs of offset and length; raises ``ValueError`` if none lie there."""
    with open(path, "rb") as file:
        return [read_span(file, Span(int(offset), int(length))) for offset, length in spans]


# A child builds from one dataset at a time; its train and val files, and those of the dataset before.
@lru_cache(maxsize=4)
def _read_index(path: str, size_bytes: int, modified_ns: int, inode: int) -> CocoIndex:
    photos: List[CocoPhoto] = []
    categories: Dict[int, str] = {}
    rows: Tuple[List[Any], ...] = ([], [], [], [], [])
    image_ids, category_ids, crowds, areas, spans = rows

    def photo(item: Any, _: Span) -> None:
        photos.append(CocoPhoto(int(item["id"]), str(item["file_name"]), int(item["height"]), int(item["width"])))

    def category(item: Any, _: Span) -> None:
        categories[int(item["id"])] = str(item["name"])

    def annotation(item: Any, span: Span) -> None:
        image_ids.append(int(item["image_id"]))
        category_ids.append(int(item["category_id"]))
        crowds.append(bool(item.get("iscrowd", 0)))
        areas.append(_area(item))
        spans.append(span)

    try:
        read_lists(path, {"images": photo, "categories": category, "annotations": annotation})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"has an entry without {error}" if isinstance(error, KeyError) else f"cannot be read: {error}"
        raise RawMissing(f"{path} is no COCO annotation file: it {reason}") from None
    unknown = sorted(set(category_ids) - set(categories))
    if unknown:
        raise RawMissing(f"{path} has annotations of the categories {unknown[:5]}, which it does not list")
    order = np.argsort(np.array(image_ids, np.int64), kind="stable")
    return CocoIndex(
        photos,
        categories,
        np.array(image_ids, np.int64)[order],
        np.array(category_ids, np.int64)[order],
        np.array(crowds, bool)[order],
        np.array(areas, np.float64)[order],
        np.array(spans, np.int64).reshape(-1, 2)[order],
    )


def _area(item: Any) -> float:
    if "area" in item:
        return float(item["area"])
    _, _, width, height = item.get("bbox", (0, 0, 0, 0))
    return float(width) * float(height)
