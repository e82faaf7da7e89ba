"""Says what there is to build from, and what a build would look like: ``define``, ``preview``, ``raw``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from darkroom_client.client import Client
from darkroom_client.command_options import AsJson, Config, DatasetName, Server, Settings, Version
from darkroom_client.config_input import read_config
from darkroom_client.errors import InvalidArgument
from darkroom_client.output import print_answer, print_json, print_table, reporting, say, size_text, time_text
from darkroom_client.progress_view import ProgressView

raw_app = typer.Typer(help="Show and walk the raw datasets.", no_args_is_help=True)


@reporting
def define(
    name: DatasetName,
    handler: Annotated[str, typer.Option("--handler", metavar="REPOSITORY/HANDLER", help="Such as stock/inpainting.")],
    raw: Annotated[
        list[str] | None,
        typer.Option("--raw", metavar="ROLE=RAW", help="Which raw dataset plays a role: photos=street. Repeatable."),
    ] = None,
    as_json: AsJson = False,
    server: Server = None,
) -> None:
    """Name a dataset: which handler makes it, from which raw datasets."""
    roles: dict[str, str] = {}
    for assignment in raw or []:
        role, equals, raw_dataset = assignment.partition("=")
        if not (equals and role and raw_dataset):
            raise InvalidArgument(f"--raw {assignment}: write ROLE=RAW, for example --raw photos=street")
        if role in roles:
            raise InvalidArgument(f"--raw {assignment}: the role {role} is given twice")
        roles[role] = raw_dataset
    with Client(server) as client:
        defined = client.define(name, handler, roles)
    if as_json:
        print_json(defined)
    else:
        shown = ", ".join(f"{role}={raw_dataset}" for role, raw_dataset in defined.raw.items())
        say(f"{defined.dataset_name} is defined: {defined.handler} from {shown or 'no raw dataset'}")
        say(f"next: darkroom preview {name} -o sheet.png, or darkroom request {name}")


@reporting
def preview(
    name: DatasetName,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the PNG goes.")],
    version: Version = "latest",
    config: Config = None,
    settings: Settings = None,
    samples: Annotated[int, typer.Option("--samples", "-n", metavar="N", help="Samples to show, 1 to 64.")] = 16,
    as_json: AsJson = False,
    server: Server = None,
) -> None:
    """Draw a contact sheet of a few samples, in seconds; nothing is built."""
    if not output.absolute().parent.is_dir():
        raise InvalidArgument(f"-o {output}: there is no folder {output.absolute().parent}")
    if not 1 <= samples <= 64:
        raise InvalidArgument(f"-n {samples}: from 1 to 64")
    asked = read_config(config, settings or [])
    with Client(server) as client, ProgressView(name) as view:
        png = client.preview(name, version, asked, sample_count=samples, on_progress=view.show)
    output.write_bytes(png)
    if as_json:
        print_json({"path": str(output.absolute()), "bytes": len(png)})
    else:
        print_answer(str(output))


@raw_app.command("ls")
@reporting
def list_raw(as_json: AsJson = False, server: Server = None) -> None:
    """List the raw datasets that runners serve."""
    with Client(server) as client:
        found = client.list_raw_datasets()
    if as_json:
        print_json({"raw_datasets": found})
    elif found:
        rows = [
            (
                each.name,
                each.file_count,
                size_text(each.size_bytes) if each.size_bytes else "-",
                each.digest[:12] or "not walked yet",
                time_text(each.scan_time),
                ", ".join(each.runners),
            )
            for each in found
        ]
        print_table(["RAW", "FILES", "SIZE", "DIGEST", "WALKED", "RUNNERS"], rows)
    else:
        say("no raw datasets: put a folder of photos under the folder that `darkroom up --raw DIR` names")


@raw_app.command("scan")
@reporting
def scan_raw(
    name: Annotated[str, typer.Argument(metavar="RAW", help="The raw dataset's name.")],
    as_json: AsJson = False,
    server: Server = None,
) -> None:
    """Walk a raw dataset now, hashing what changed, and print its digest."""
    with Client(server) as client, ProgressView(name) as view:
        found = client.scan_raw_dataset(name, on_progress=view.show)
    if as_json:
        print_json(found)
    else:
        print_answer(found.digest)
        say(f"{name}: {found.file_count:,} files, {size_text(found.size_bytes)}")
