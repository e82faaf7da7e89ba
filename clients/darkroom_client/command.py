"""The ``darkroom`` command: ask for datasets, watch them being built, fetch them, train."""

from __future__ import annotations

from importlib.metadata import version as installed_version
from typing import Annotated

import typer

from darkroom_client.command_loading import command_group

# Where each command is, in the order of `darkroom --help`.
COMMANDS = {
    "up": "command_up:up",
    "login": "command_login:login",
    "logout": "command_login:logout",
    "doctor": "command_doctor:doctor",
    "define": "command_catalog:define",
    "preview": "command_catalog:preview",
    "request": "command_request:request",
    "watch": "command_get:watch",
    "get": "command_get:get",
    "cancel": "command_get:cancel",
    "logs": "command_get:logs",
    "resolve": "command_resolve:resolve",
    "import": "command_import:import_archive",
    "ls": "command_datasets:list_datasets",
    "show": "command_datasets:show",
    "usage": "command_usage:usage",
    "verify": "command_datasets:verify",
    "pin": "command_datasets:pin",
    "unpin": "command_datasets:unpin",
    "delete": "command_datasets:delete",
    "inpaint": "command_inpaint:inpaint",
    "inpaint-batch": "command_inpaint_batch:inpaint_batch",
    "models": "command_models:models_app",
    "handler": "command_handler:handler_app",
    "handlers": "command_handlers:handlers_app",
    "raw": "command_catalog:raw_app",
    "cache": "command_cache:cache_app",
}

app = typer.Typer(
    name="darkroom",
    cls=command_group(COMMANDS),
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


def main() -> None:
    """Run the command."""
    app()
