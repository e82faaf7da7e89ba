"""Keeps jobs over restarts: one small file for each, written whole."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from inpainting.batch_job import JobSpec, JobState, JobView
from service_kit.durable_files import sync_folder

_PARTIAL = ".partial-"


class BatchJobFiles:
    """A folder of ``{id}.json``; blocking, so called through threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{_PARTIAL}*"):
            left.unlink(missing_ok=True)

    def write(self, spec: JobSpec, view: JobView) -> None:
        """Write a job down; once this returns it survives a power cut."""
        facts = {
            "spec": spec.to_json(),
            "state": view.state,
            "photo_count": view.photo_count,
            "done_count": view.done_count,
            "failed": view.failed,
        }
        partial = self._folder / f"{_PARTIAL}{secrets.token_hex(8)}"
        with partial.open("w") as file:
            json.dump(facts, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._folder / f"{spec.id}.json")
        sync_folder(self._folder)

    def read(self, job_id: str) -> tuple[JobSpec, JobView] | None:
        """Return a job, or None if there is none of that id."""
        path = self._folder / f"{job_id}.json"
        return self._read(path) if path.is_file() else None

    def unfinished(self) -> Iterator[tuple[JobSpec, JobView]]:
        """Yield the jobs that were running when the service ended."""
        for path in sorted(self._folder.glob("*.json")):
            spec, view = self._read(path)
            if not view.final:
                yield spec, view

    def _read(self, path: Path) -> tuple[JobSpec, JobView]:
        facts = json.loads(path.read_text())
        spec = JobSpec.from_json(facts["spec"])
        view = JobView(
            spec.id,
            JobState(facts["state"]),
            facts["photo_count"],
            facts["done_count"],
            tuple(facts["failed"]),
        )
        return spec, view
