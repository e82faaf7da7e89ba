"""The ``darkroom`` command: ask for datasets, watch them being built, fetch them, train."""

from __future__ import annotations

from importlib.metadata import version as installed_version
from typing import Annotated

import typer

from darkroom_client import (
    command_catalog,
    command_datasets,
    command_doctor,
    command_get,
    command_import,
    command_inpaint,
    command_inpaint_batch,
    command_login,
    command_request,
    command_resolve,
    command_up,
    command_usage,
)
from darkroom_client.command_cache import cache_app
from darkroom_client.command_catalog import raw_app
from darkroom_client.command_handler import handler_app
from darkroom_client.command_handlers import handlers_app
from darkroom_client.command_models import models_app
from darkroom_client.command_options import CommandWithTail

app = typer.Typer(
    name="darkroom",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Builds image datasets where the photos lie, once, and hands them to the machines that train.",
)


def print_version(wanted: bool) -> None:
    """Print the installed version and end, if that is wanted."""
    if wanted:
        typer.echo(f"darkroom {installed_version('darkroom')}")
        raise typer.Exit()


@app.callback()
def darkroom(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the command itself."""


app.command("up")(command_up.up)
app.command("login")(command_login.login)
app.command("logout")(command_login.logout)
app.command("doctor")(command_doctor.doctor)
app.command("define")(command_catalog.define)
app.command("preview")(command_catalog.preview)
app.command("request", cls=CommandWithTail)(command_request.request)
app.command("watch")(command_get.watch)
app.command("get")(command_get.get)
app.command("cancel")(command_get.cancel)
app.command("logs")(command_get.logs)
app.command("resolve")(command_resolve.resolve)
app.command("import")(command_import.import_archive)
app.command("ls")(command_datasets.list_datasets)
app.command("show")(command_datasets.show)
app.command("usage")(command_usage.usage)
app.command("verify")(command_datasets.verify)
app.command("pin")(command_datasets.pin)
app.command("unpin")(command_datasets.unpin)
app.command("delete")(command_datasets.delete)
app.command("inpaint")(command_inpaint.inpaint)
app.command("inpaint-batch")(command_inpaint_batch.inpaint_batch)
app.add_typer(models_app, name="models")
app.add_typer(handler_app, name="handler")
app.add_typer(handlers_app, name="handlers")
app.add_typer(raw_app, name="raw")
app.add_typer(cache_app, name="cache")


def main() -> None:
    """Run the command."""
    app()
