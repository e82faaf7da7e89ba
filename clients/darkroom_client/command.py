"""The ``darkroom`` command: ask for datasets, watch them being built, fetch them, train."""

from __future__ import annotations

import typer

from darkroom_client import command_get, command_request
from darkroom_client.command_options import CommandWithTail

app = typer.Typer(
    name="darkroom",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Builds image datasets where the photos lie, once, and hands them to the machines that train.",
)
app.command("request", cls=CommandWithTail)(command_request.request)
app.command("watch")(command_get.watch)
app.command("get")(command_get.get)
app.command("cancel")(command_get.cancel)
app.command("logs")(command_get.logs)


def main() -> None:
    """Run the command."""
    app()
