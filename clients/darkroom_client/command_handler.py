"""``darkroom handler``: begin a handler of one's own, and look at what its code makes before it is committed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from darkroom_client.command_options import AsJson, Config, Settings
from darkroom_client.config_input import read_config
from darkroom_client.errors import InvalidArgument, NotFound
from darkroom_client.output import print_answer, print_json, reporting, say

handler_app = typer.Typer(help="Write a handler of your own.", no_args_is_help=True)


@handler_app.command("new")
@reporting
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The new repository's folder; empty, or not there.")],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What the handler is called; else as the folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a repository that works: a handler, its test, its metadata, a first commit."""
    # Imported late: only these commands need it.
    from darkroom_client.handler_new import handler_name, next_commands, write_repository

    place = folder.expanduser().absolute()
    chosen = handler_name(place, name)
    files = write_repository(place, chosen)
    commands = next_commands(folder, chosen)
    if as_json:
        print_json({"path": str(place), "handler": chosen, "files": files, "next": commands})
        return
    print_answer(str(place))
    say(f"the handler {chosen} is in {', '.join(files)}; next:")
    for command in commands:
        say(f"  {command}")


@handler_app.command("try")
@reporting
def try_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The repository's folder; else this one.")] = Path(),
    raw: Annotated[
        list[str] | None,
        typer.Option("--raw", metavar="ROLE=DIR2", help="The folder that plays a role. Repeatable."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where the PNG goes; else sheet.png.")
    ] = Path("sheet.png"),
    handler: Annotated[
        str | None, typer.Option("--handler", metavar="NAME", help="Which handler, where there are several.")
    ] = None,
    config: Config = None,
    settings: Settings = None,
    samples: Annotated[int, typer.Option("--samples", "-n", metavar="N", help="Samples to try, 1 to 64.")] = 20,
    check: Annotated[bool, typer.Option("--check", help="Check the handler's contract too.")] = False,
    python: Annotated[
        str | None, typer.Option("--python", metavar="PATH", help="The Python to run it with; else this one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the code as it lies in DIR on a few samples, without any service, and draw a contact sheet."""
    from darkroom_client.handler_try import Trial, run_trial

    place = output.expanduser().absolute()
    if not place.parent.is_dir():
        raise NotFound(f"-o {output}: there is no folder {place.parent}")
    if not 1 <= samples <= 64:
        raise InvalidArgument(f"-n {samples}: from 1 to 64")
    asked = read_config(config, settings or [])
    folder = folder.expanduser().absolute()
    trial = Trial(folder, raw or [], place, handler, asked, samples, check, as_json)
    code = run_trial(trial, python)
    if code:
        raise typer.Exit(code)
