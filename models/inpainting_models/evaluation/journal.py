"""Keeps each row as soon as it is measured, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import inpainting_models
from inpainting_models.evaluation.images import file_sha256
from inpainting_models.evaluation.methods import Method
from inpainting_models.evaluation.run import Row


class Journal:
    """A file of rows, gone once the run has ended.

    A row is taken up again only while nothing has changed that it depends on: the run's facts, this package's code, the
    method's own files; and if it is ``usable``.
    """

    def __init__(
        self, path: Path, facts: dict[str, Any], methods: Sequence[Method], usable: Callable[[Row], bool]
    ) -> None:
        self.path = path
        self._digests = {method.name: _digest(facts, method) for method in methods}
        found = {(row.case, row.method): row for row in self._read()}
        self._rows = {key: row for key, row in found.items() if usable(row)}

    def has(self, case: str, method: str) -> bool:
        """Whether a method's row on a case is there."""
        return (case, method) in self._rows

    def get(self, case: str, method: str) -> Row:
        """Return a row that is there."""
        return self._rows[case, method]

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
    parts = [json.dumps(facts, sort_keys=True), _code(), *map(file_sha256, method.files)]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


@cache
def _code() -> str:
    sources = sorted(Path(inpainting_models.__file__).parent.rglob("*.py"))
    return hashlib.sha256("|".join(map(file_sha256, sources)).encode()).hexdigest()
