"""``darkroom inpaint``: a photo without what is marked in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from darkroom_client.client import Inpainting
from darkroom_client.command_options import AsJson
from darkroom_client.errors import AlreadyExists, InvalidArgument, NotFound
from darkroom_client.inpainting import Candidate, Marks
from darkroom_client.inpainting_local import inpaint_local
from darkroom_client.inpainting_marks import read_marks
from darkroom_client.inpainting_options import (
    Boxes,
    Feather,
    Grow,
    InpaintingServer,
    Local,
    MaskFile,
    ModelName,
    Polygons,
    Seed,
    StrategyName,
    Strokes,
)
from darkroom_client.inpainting_view import InpaintingView
from darkroom_client.output import print_answer, print_json, reporting, say
from darkroom_client.whole_file import write_whole


@reporting
def inpaint(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="JPEG, PNG, TIFF or WebP.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where the result goes; else PHOTO-inpainted beside it."),
    ] = None,
    mask: MaskFile = None,
    boxes: Boxes = None,
    polygons: Polygons = None,
    strokes: Strokes = None,
    grow: Grow = 0,
    feather: Feather = 0,
    model: ModelName = "",
    strategy: StrategyName = "auto",
    candidates: Annotated[
        int, typer.Option("--candidates", metavar="N", help="Results to choose from, 1 to 8: FILE-1, FILE-2, ...")
    ] = 1,
    seed: Seed = 0,
    local: Local = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    as_json: AsJson = False,
    server: InpaintingServer = None,
) -> None:
    """Remove what is marked from a photo, and keep all else of its file."""
    marks = read_marks(boxes or (), polygons or (), strokes or (), grow, feather)
    if mask is None and not (marks.boxes or marks.polygons or marks.strokes):
        raise InvalidArgument("mark what should go: --mask FILE, --box X,Y,W,H, --polygon or --stroke")
    if not photo.is_file():
        raise NotFound(f"there is no file {photo}")
    paths = output_paths(photo, output, candidates)
    for path in paths:
        check_output(path, photo, force)
    with InpaintingView(photo.name) as view:
        options: dict[str, Any] = {"model": model, "strategy": strategy, "seed": seed, "candidates": candidates}
        if local:
            found = inpaint_local(photo, mask, marks, on_progress=view.show, **options)
        else:
            found = _by_service(server, photo, mask, marks, view, options)
    if len(found) == 1:
        paths = output_paths(photo, output, 1)
        check_output(paths[0], photo, force)
    for path, candidate in zip(paths, found, strict=False):
        write_whole(path, candidate.content)
    _report(list(zip(paths, found, strict=False)), as_json)


def output_paths(photo: Path, output: Path | None, count: int) -> list[Path]:
    """Return where results go: one as it is called, several with a number before the ending."""
    path = output or photo.with_stem(f"{photo.stem}-inpainted")
    return [path] if count == 1 else [path.with_stem(f"{path.stem}-{number + 1}") for number in range(count)]


def check_output(path: Path, photo: Path, force: bool) -> None:
    """Refuse a place that loses something, or cannot be. The result has the photo's own format."""
    if not path.parent.is_dir():
        raise NotFound(f"-o {path}: there is no folder {path.parent}")
    if path.is_dir():
        raise InvalidArgument(f"-o {path} is a folder; name a file")
    same = {".jpeg": ".jpg", ".tif": ".tiff"}
    endings = [same.get(each.suffix.lower(), each.suffix.lower()) for each in (path, photo)]
    if endings[0] != endings[1]:
        raise InvalidArgument(f"-o {path}: the result keeps the photo's format, so its name ends in {photo.suffix}")
    if path.exists() and not force:
        raise AlreadyExists(f"{path} is there already; add --force to replace it, or name another with -o")


def _by_service(
    server: str | None, photo: Path, mask: str | None, marks: Marks, view: InpaintingView, options: dict[str, Any]
) -> list[Candidate]:
    with Inpainting(server) as client:
        return client.inpaint_candidates(photo, mask, marks=marks, on_progress=view.show, **options)


def _report(found: list[tuple[Path, Candidate]], as_json: bool) -> None:
    if as_json:
        rows = [{"path": path, **facts(candidate)} for path, candidate in found]
        print_json({"candidates": rows})
        return
    for path, candidate in found:
        passes = f"{candidate.pass_count} {'pass' if candidate.pass_count == 1 else 'passes'}"
        how = f"{candidate.how}, {passes}" if candidate.how else "unchanged"
        # What auto chose stands in its reason, too, which begins with its name.
        reason = candidate.reason.removeprefix(f"{candidate.how}, ") if candidate.methods else candidate.reason
        say(f"{path.name}: {how}, {candidate.elapsed.total_seconds():.1f} s; {reason}")
        for warning in candidate.warnings:
            say(f"warning: {warning}")
        print_answer(str(path))


def facts(candidate: Candidate) -> dict[str, Any]:
    """Return a result without its bytes."""
    return {name: value for name, value in vars(candidate).items() if name != "content"} | {"how": candidate.how}
