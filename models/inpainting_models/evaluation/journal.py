"""Keeps each row as soon as it is measured, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import inpainting_models
from inpainting_models.evaluation.methods import Method
from inpainting_models.evaluation.run import Row


class Journal:
    """A file of rows, gone once the run has ended.

    A row is taken up again only while nothing has changed that it depends on: the run's facts, this package's code, the
    method's own files.
    """

    def __init__(self, path: Path, facts: dict[str, Any], methods: Sequence[Method]) -> None:
        self.path = path
        self._digests = {method.name: _digest(facts, method) for method in methods}
        self._rows = {(row.case, row.method): row for row in self._read()}

    @property
    def rows(self) -> list[Row]:
        """What has been measured, in that order."""
        return list(self._rows.values())

    def has(self, case: str, method: str) -> bool:
        """Whether a method's row on a case is there."""
        return (case, method) in self._rows

    def get(self, case: str, method: str) -> Row:
        """Return a row that is there."""
        return self._rows[case, method]

    def forget(self, row: Row) -> None:
        """Have a row measured again."""
        del self._rows[row.case, row.method]

    def keep(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows, each once it is in the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            for row in rows:
                # A line that was cut off in an earlier run ends here.
                file.write("\n" + json.dumps({"of": self._digests[row.method], "row": asdict(row)}))
                file.flush()
                self._rows[row.case, row.method] = row
                yield row

    def end(self) -> None:
        """Remove the file: everything is in the tables."""
        self.path.unlink(missing_ok=True)

    def _read(self) -> Iterator[Row]:
        if not self.path.exists():
            return
        for line in self.path.read_text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if entry["of"] == self._digests.get(entry["row"]["method"]):
                yield Row(**entry["row"])


def _digest(facts: dict[str, Any], method: Method) -> str:
    parts = [json.dumps(facts, sort_keys=True), _code(), *(_file(path) for path in method.files)]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


@cache
def _code() -> str:
    sources = sorted(Path(inpainting_models.__file__).parent.rglob("*.py"))
    return hashlib.sha256("|".join(map(_file, sources)).encode()).hexdigest()


def _file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
