"""``darkroom import``: take a dataset that the original system built into the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from darkroom_client.client import Client
from darkroom_client.command_options import AsJson, Server
from darkroom_client.output import ExitCode, print_answer, print_json, reporting, say, size_text
from darkroom_client.progress_view import CountView, ProgressView
from darkroom_client.snapshot import DatasetSnapshot


@reporting
def import_archive(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The archive, DATASET_VERSION_MD5.zip.")],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The archive's name, where the file has another.")
    ] = None,
    version: Annotated[
        str | None,
        typer.Option("--version", metavar="VERSION", help="The version in the name, where it has an underscore."),
    ] = None,
    as_json: AsJson = False,
    server: Server = None,
) -> None:
    """Take an archive that the original system built into the catalogue, under the md5 in its name."""
    with Client(server) as client:
        try:
            with CountView(file.name) as sending:
                sent = client.send_archive(
                    file,
                    name=name,
                    version=version,
                    on_upload=lambda done, total: sending.show(done >> 20, total >> 20, "MiB sent"),
                )
        except KeyboardInterrupt:
            say("\ninterrupted: nothing is imported")
            raise typer.Exit(ExitCode.DETACHED) from None
        there = sent.final
        try:
            with ProgressView(file.name) as view:
                found = client.finish_import(sent, view.show)
        except KeyboardInterrupt:
            say(f"\ndetached; the archive is being checked. To return: darkroom watch {sent.key}")
            raise typer.Exit(ExitCode.DETACHED) from None
    if as_json:
        print_json(found)
        return
    print_answer(found.key)
    how = "was there already" if there else "is imported"
    say(f"{found.dataset_name} {found.handler_version} {how}; {_held(found)}")


def _held(found: DatasetSnapshot) -> str:
    splits = ", ".join(f"{split} {count:,}" for split, count in sorted(found.splits.items()))
    return f"{found.example_count:,} examples ({splits}), {size_text(found.size_bytes)}"
