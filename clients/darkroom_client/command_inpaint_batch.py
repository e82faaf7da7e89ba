"""``darkroom inpaint-batch``: a folder of photos without what is marked in them."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from darkroom.inpainting.v1 import inpainting_pb2 as pb
from darkroom_client.async_inpainting import AsyncInpainting
from darkroom_client.command_inpaint_remote import job_request, run_job
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
    photos: Annotated[str, typer.Argument(metavar="PHOTOS", help="A folder of photos, folders in it included.")],
    output: Annotated[str, typer.Option("--output", "-o", metavar="DIR", help="Where results go, by their names.")],
    mask: Annotated[
        str | None,
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
    remote: Annotated[
        bool,
        typer.Option("--remote", help="All of these are prefixes and objects of the service's own store."),
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="With --remote: print the job's name and go.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="With --remote: stop this job; results stay.")] = False,
    as_json: AsJson = False,
    server: InpaintingServer = None,
) -> None:
    """Remove what is marked from every photo of a folder; run again, it goes on with what is missing."""
    marks = read_marks(boxes or (), polygons or (), strokes or (), grow, feather)
    if mask is None and not (marks.boxes or marks.polygons or marks.strokes):
        raise InvalidArgument("mark what should go: --mask FILE, --box X,Y,W,H, --polygon or --stroke")
    if not 1 <= parallel <= 64:
        raise InvalidArgument(f"--parallel {parallel}: a number from 1 to 64")
    if remote:
        options = pb.InpaintOptions(model=model, strategy=strategy, seed=seed)
        request = job_request(photos, output, mask, marks, options)
        run_job(server, request, detach=detach, cancel=cancel, as_json=as_json)
        return
    if detach or cancel:
        raise InvalidArgument("--detach and --cancel are for jobs of the service: add --remote")
    if mask is not None and not Path(mask).exists():
        raise NotFound(f"--mask {mask}: there is no such file or folder")
    work = FolderWork(Path(photos), Path(output), None if mask is None else Path(mask), marks, model, strategy, seed)
    with CountView(work.photos.name) as view:
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
        print_answer(output)
    if progress.failures:
        raise typer.Exit(ExitCode.FAILED)


def first_meaning(several: ExceptionGroup[Exception]) -> Exception:
    """Return the first error that a person can act upon."""
    meant, _ = several.split(DarkroomError)
    return meant.exceptions[0] if meant is not None else several.exceptions[0]
