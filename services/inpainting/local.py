"""Fills one photo and ends: what `darkroom inpaint --local` runs.

A JSON object comes on standard input; lines of JSON go to standard output: ``{"progress": ...}``, and at last
``{"candidates": [...]}``, whose photos are files in the folder that the request names, or ``{"error": ...}``.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inpainting.added_models import AddedModels
from inpainting.model_catalog import ModelCatalog
from inpainting.photo_sources import FileSources
from inpainting.retouching import Retouching
from inpainting.settings import InpaintingSettings
from inpainting.task import Options, Outcome, Preview, Shapes, Source, Step, Task
from service_kit.errors import DarkroomError, InvalidArgument, status_code
from service_kit.logging import configure_logging
from service_kit.settings import read_settings


def main() -> int:
    """Fill the photo that standard input names."""
    # Whatever libraries print is no answer.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    settings = read_settings(InpaintingSettings)
    configure_logging("WARNING")
    request = json.loads(sys.stdin.readline())

    def answer(value: dict[str, Any]) -> None:
        answers.write(json.dumps(value) + "\n")

    def tell(event: Step | Preview) -> None:
        if isinstance(event, Step):
            answer({"progress": asdict(event) | {"stage": event.stage.value}})

    catalog = ModelCatalog(AddedModels(settings.home / "models"), settings.batch_images)
    retouching = Retouching(catalog, FileSources(settings.max_photo_bytes), settings.max_pixels)
    try:
        task = task_of(request)
        retouching.check(task)
        outcome = retouching.run(task, tell, lambda: False)
        answer({"candidates": saved(outcome, Path(request["folder"]))})
    except DarkroomError as error:
        violations = error.violations if isinstance(error, InvalidArgument) else ()
        fields = {"code": status_code(error).name, "reason": error.reason, "message": error.message}
        answer({"error": fields | {"violations": violations}})
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def task_of(request: dict[str, Any]) -> Task:
    """Return what the request asks for."""
    marks = request["marks"]
    return Task(
        Source(kept=request["photo"]),
        Source(kept=request["mask"] or ""),
        Shapes(
            tuple(tuple(box) for box in marks["boxes"]),
            tuple(tuple((x, y) for x, y in points) for points in marks["polygons"]),
            tuple((tuple((x, y) for x, y in each["points"]), each["width_px"]) for each in marks["strokes"]),
            marks["grow_px"],
            marks["feather_px"],
        ),
        Options(**request["options"]),
    )


def saved(outcome: Outcome, folder: Path) -> list[dict[str, Any]]:
    """Write the photos into the folder, and return the rest."""
    rows = []
    for number, candidate in enumerate(outcome.candidates):
        path = folder / f"{number}"
        path.write_bytes(candidate.data)
        fields = {name: value for name, value in vars(candidate).items() if name != "data"}
        rows.append(fields | {"path": str(path)})
    return rows


if __name__ == "__main__":
    sys.exit(main())
