"""``darkroom inpaint-batch``: a folder of photos without what is marked in them."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from darkroom_client.async_inpainting import AsyncInpainting
from darkroom_client.command_options import AsJson
from darkroom_client.errors import DarkroomError, InvalidArgument, NotFound
from darkroom_client.event_loop import shared_loop
from darkroom_client.inpainting_folder import FolderProgress, FolderWork, fill_folder
from darkroom_client.inpainting_marks import read_marks
from darkroom_client.inpainting_options import (
    Boxes,
    Feather,
    Grow,
    InpaintingServer,
    ModelName,
    Polygons,
    Seed,
    StrategyName,
    Strokes,
)
from darkroom_client.output import ExitCode, print_answer, print_json, reporting, say
from darkroom_client.progress_text import duration_text
from darkroom_client.progress_view import CountView


@reporting
def inpaint_batch(
    photos: Annotated[Path, typer.Argument(metavar="PHOTOS", help="A folder of photos, folders in it included.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where results go, by their names.")],
    mask: Annotated[
        Path | None,
        typer.Option("--mask", metavar="PATH", help="One mask for all, or a folder with one of each photo's name."),
    ] = None,
    boxes: Boxes = None,
    polygons: Polygons = None,
    strokes: Strokes = None,
    grow: Grow = 0,
    feather: Feather = 0,
    model: ModelName = "",
    strategy: StrategyName = "auto",
    seed: Seed = 0,
    parallel: Annotated[int, typer.Option("--parallel", metavar="N", help="Photos on their way at once.")] = 4,
    as_json: AsJson = False,
    server: InpaintingServer = None,
) -> None:
    """Remove what is marked from every photo of a folder; run again, it goes on with what is missing."""
    marks = read_marks(boxes or (), polygons or (), strokes or (), grow, feather)
    if mask is None and not (marks.boxes or marks.polygons or marks.strokes):
        raise InvalidArgument("mark what should go: --mask FILE, --box X,Y,W,H, --polygon or --stroke")
    if mask is not None and not mask.exists():
        raise NotFound(f"--mask {mask}: there is no such file or folder")
    if not 1 <= parallel <= 64:
        raise InvalidArgument(f"--parallel {parallel}: a number from 1 to 64")
    work = FolderWork(photos, output, mask, marks, model, strategy, seed)
    with CountView(photos.name) as view:
        begin_s = time.monotonic()

        def show(progress: FolderProgress) -> None:
            ended = progress.done_count + len(progress.failures)
            left = progress.photo_count - progress.present_count - ended
            per_s = ended / (time.monotonic() - begin_s)
            eta = f", {duration_text(timedelta(seconds=left / per_s))} left" if ended > 1 and left else ""
            failed = f", {len(progress.failures)} failed" if progress.failures else ""
            view.show(progress.present_count + ended, progress.photo_count, f"photos{failed}{eta}")

        async def fill() -> FolderProgress:
            client = AsyncInpainting(server)
            try:
                return await fill_folder(client, work, parallel, show)
            except ExceptionGroup as several:
                raise first_meaning(several) from several
            finally:
                await client.close()

        progress = shared_loop().run(fill())
    if as_json:
        print_json({"path": output, **vars(progress)})
    else:
        for photo, reason in progress.failures:
            say(f"failed: {photo}: {reason}")
        say(f"{progress.done_count} filled, {progress.present_count} were there, {len(progress.failures)} failed")
        print_answer(str(output))
    if progress.failures:
        raise typer.Exit(ExitCode.FAILED)


def first_meaning(several: ExceptionGroup[Exception]) -> Exception:
    """Return the first error that a person can act upon."""
    meant, _ = several.split(DarkroomError)
    return meant.exceptions[0] if meant is not None else several.exceptions[0]
