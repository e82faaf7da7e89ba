"""``darkroom up``: serve the photos of this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import platformdirs
import typer

from darkroom_client.connection import DEFAULT_SERVER
from darkroom_client.output import reporting, say


@reporting
def up(
    raw: Annotated[
        Path,
        typer.Option("--raw", metavar="DIR", help="Each folder in it is a raw dataset; or it holds photos itself."),
    ],
    home: Annotated[
        Path | None,
        typer.Option("--home", metavar="DIR", help="Where everything is kept; else the user's data folder."),
    ] = None,
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Where clients find it.")
    ] = DEFAULT_SERVER,
    inpainting: Annotated[
        str,
        typer.Option("--inpainting", metavar="HOST:PORT", help="Where photos are retouched; else two ports further."),
    ] = "",
    repositories: Annotated[
        list[str] | None,
        typer.Option("--repository", metavar="NAME=URL", help="A git repository of handlers. Repeatable."),
    ] = None,
    trusted: Annotated[
        list[str] | None,
        typer.Option("--trust", metavar="NAME", help="Run that repository's code without the sandbox. Repeatable."),
    ] = None,
    repositories_file: Annotated[
        Path | None,
        typer.Option("--repositories", metavar="FILE", help="YAML of repositories with their keys and credentials."),
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option("--insecure", help="Answer other machines without TLS and tokens; only in a network you trust."),
    ] = False,
) -> None:
    """Start registry, runner and inpainting service, say what they serve, and watch over them until Ctrl-C."""
    # Imported late: only this command needs it.
    from darkroom_client.up import UpSettings, run_up
    from darkroom_client.up_repositories import read_repositories

    known = read_repositories(repositories or [], trusted or [], repositories_file)
    chosen_home = home.expanduser().absolute() if home else platformdirs.user_data_path("darkroom")
    settings = UpSettings(raw.expanduser().absolute(), chosen_home, listen, insecure, inpainting, known)
    asyncio.run(run_up(settings, say))
