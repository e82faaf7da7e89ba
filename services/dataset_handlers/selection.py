"""Chooses among a handler's samples: what is left out, and what must stay together in one split."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Pattern, Set

from dataset_handlers.errors import BadConfig, Violation
from dataset_handlers.options import List as ListOption
from dataset_handlers.options import Option, String
from dataset_handlers.path_patterns import PathPatterns, pattern_fault, unmatched
from dataset_handlers.sample import Sample

FOLDER = "folder"


def selection_options(prefix: str = "", what: str = "photos") -> Dict[str, Option]:
    """Returns the options; ``prefix`` begins their names where a handler chooses from two raw datasets."""
    return {
        f"{prefix}exclude": ListOption(
            String(), [], f"Patterns of the paths of {what} to leave out: *.png, drafts/, a/**/b.jpg", max_items=1000
        ),
        f"{prefix}exclude_file": String(
            None, f"A file in the raw dataset that lists {what} to leave out, one path on a line"
        ),
        f"{prefix}group_by": String(
            None,
            f"What keeps {what} together in one split: folder, or a regular expression on the path whose groups in "
            "parentheses are the key, such as ^([^/]+)/",
        ),
    }


class Selection:
    """What one raw dataset's `selection_options` choose."""

    def __init__(self, config: Any, root: Path, prefix: str = "") -> None:
        """Raises ``BadConfig`` naming each option that cannot be used."""
        self._root = root
        self._prefix = prefix
        violations = selection_violations(config, prefix)
        if violations:
            raise BadConfig(violations)
        self._patterns = PathPatterns(config[f"{prefix}exclude"])
        self._file: Optional[str] = config[f"{prefix}exclude_file"]
        self._group_by: Optional[str] = config[f"{prefix}group_by"]
        self._expression: Optional[Pattern[str]] = None
        if self._group_by not in (None, FOLDER):
            self._expression = re.compile(str(self._group_by))
        self.warnings: List[str] = []

    def chosen(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """Yields the samples that stay, each with its group; then ``warnings`` says what matched nothing."""
        listed = self._listed()
        absent = set(listed)
        grouped = total = 0
        for sample in samples:
            photo = sample.photo
            absent.discard(photo)
            # Both are asked, or a pattern that a list makes superfluous would seem to match nothing.
            if self._patterns.match(photo) or photo in listed:
                continue
            total += 1
            group = self._group(photo)
            grouped += bool(group)
            yield sample._replace(group=group) if group else sample
        self.warnings = list(self._warnings(absent, grouped, total))

    def _group(self, photo: str) -> str:
        if self._group_by == FOLDER:
            return posixpath.dirname(photo)
        found = self._expression.search(photo) if self._expression else None
        return "/".join(part or "" for part in found.groups()) if found and any(found.groups()) else ""

    def _listed(self) -> Set[str]:
        if self._file is None:
            return set()
        path = os.path.realpath(self._root / self._file)
        if not path.startswith(os.path.join(os.path.realpath(self._root), "")):
            raise self._refused("exclude_file", f"{self._file!r} leads out of the raw dataset; a path inside would do")
        try:
            with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
                lines = [line.strip() for line in file]
        except OSError as error:
            reason = f"{self._file!r} cannot be read: {error.strerror}; the path of a file in the raw dataset would do"
            raise self._refused("exclude_file", reason) from None
        return {line[2:] if line.startswith("./") else line for line in lines if line and not line.startswith("#")}

    def _warnings(self, absent: Set[str], grouped: int, total: int) -> Iterator[str]:
        if self._patterns.unused:
            yield f"{self._prefix}exclude: nothing matches {unmatched(self._patterns.unused)}"
        if absent:
            yield f"{self._prefix}exclude_file: {self._file} lists what is not there: {unmatched(sorted(absent))}"
        if self._group_by is not None and total and not grouped:
            yield f"{self._prefix}group_by: {self._group_by!r} finds a group for none of {total} paths"

    def _refused(self, option: str, description: str) -> BadConfig:
        return BadConfig([(f"config.{self._prefix}{option}", description)])


def selection_violations(config: Any, prefix: str = "") -> List[Violation]:
    """Returns what is wrong with the options as they are written."""
    violations = []
    for number, pattern in enumerate(config[f"{prefix}exclude"]):
        fault = pattern_fault(pattern)
        if fault:
            violations.append(Violation(f"config.{prefix}exclude[{number}]", f"{pattern!r} {fault}"))
    group_by = config[f"{prefix}group_by"]
    if group_by not in (None, FOLDER):
        fault = _group_fault(group_by)
        if fault:
            violations.append(Violation(f"config.{prefix}group_by", f"{group_by!r} {fault}"))
    return violations


def _group_fault(expression: str) -> str:
    try:
        groups = re.compile(expression).groups
    except (re.error, OverflowError, RecursionError) as error:
        return f"is no regular expression: {error}; folder, or one such as ^([^/]+)/ would do"
    return "" if groups else "has no group in parentheses to be the key; folder, or one such as ^([^/]+)/ would do"
