"""Gives the files of an imported archive their places: a split from the words in their names, and a number in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

# A word that stands alone between anything but letters.
_WORD = re.compile(r"(?<![a-z])(train|training|validation|valid|val|test|testing)(?![a-z])", re.IGNORECASE)
_SPLITS = {"train": "train", "valid": "validation", "val": "validation", "test": "test"}
DEFAULT_SPLIT = "train"


def numbered(names: Sequence[str]) -> list[tuple[str, int]]:
    """Return (split, index) of each file, in the order given."""
    counts: Counter[str] = Counter()
    places = []
    for name in names:
        split = split_of(name)
        places.append((split, counts[split]))
        counts[split] += 1
    return places


def split_of(name: str) -> str:
    """Return the split that a file's name says, or else the nearest folder's that says one; else train."""
    for part in reversed(name.split("/")):
        found = _WORD.search(part)
        if found:
            word = found[1].lower()
            return next(split for begin, split in _SPLITS.items() if word.startswith(begin))
    return DEFAULT_SPLIT
