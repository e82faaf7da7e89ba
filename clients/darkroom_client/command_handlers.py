"""Shows the handlers that make datasets: ``darkroom handlers`` lists them, ``handlers show`` explains one."""

from __future__ import annotations

import json
import shlex
from typing import Annotated

import typer

from darkroom_client.catalog import Handler, Option
from darkroom_client.client import Client
from darkroom_client.command_options import AsJson, Server
from darkroom_client.command_relock import relock
from darkroom_client.errors import InvalidArgument
from darkroom_client.output import print_answer, print_json, print_table, reporting, say

handlers_app = typer.Typer(help="Show the handlers that make datasets.", invoke_without_command=True)


@handlers_app.callback()
@reporting
def list_handlers(context: typer.Context, as_json: AsJson = False, server: Server = None) -> None:
    """List the handlers, or `show` one with its options."""
    if context.invoked_subcommand is not None:
        return
    with Client(server) as client:
        found = client.list_handlers()
    if as_json:
        print_json({"handlers": found})
    elif found:
        rows = [(each.name, each.version, ", ".join(each.roles), each.description) for each in found]
        print_table(["HANDLER", "VERSION", "RAW ROLES", "WHAT IT MAKES"], rows)
    else:
        say("no handlers: no runner has called yet")


handlers_app.command("relock")(relock)


@handlers_app.command("show")
@reporting
def show_handler(
    name: Annotated[
        str, typer.Argument(metavar="HANDLER[@VERSION]", help="Such as stock/inpainting, or mine/edges@v1.")
    ],
    version: Annotated[str, typer.Argument(metavar="VERSION", help="Instead of @VERSION; else latest.")] = "",
    as_json: AsJson = False,
    server: Server = None,
) -> None:
    """Show one handler: its roles, its options, and a config to start from."""
    handler, at, labelled = name.partition("@")
    if at and not labelled:
        raise InvalidArgument(f"{name}: a tag, branch or commit follows the @, as in {handler}@v1")
    if at and version and version != labelled:
        raise InvalidArgument(f"{name} {version}: two versions; one of them would do")
    with Client(server) as client:
        found = client.get_handler(handler, labelled or version or "latest")
    if as_json:
        print_json(found)
    else:
        _print_handler(found)


def _print_handler(found: Handler) -> None:
    print_answer(found.name)
    facts = {
        "makes": found.description,
        "version": f"{found.version} ({found.commit[:12]})",
        "raw roles": ", ".join(found.roles) or "none",
        "python": found.python,
        "lock": found.lock_digest[:12],
    }
    for title, fact in facts.items():
        if fact:
            print_answer(f"  {title:<10}  {fact}")
    for title, read_time in (("build options (part of the key)", False), ("read options (not in the key)", True)):
        options = [option for option in found.options if option.read_time is read_time]
        if options:
            print_answer("")
            print_answer(title)
            _print_options(options)
    print_answer("")
    print_answer("a config to start from (-c FILE):")
    for name, value in found.example_config.items():
        print_answer(f"  {name}: {json.dumps(value, ensure_ascii=False)}")


def _print_options(options: list[Option]) -> None:
    """Print a line of facts for each option, and below it what it does and what it takes."""
    titles = ("OPTION", "TYPE", "DEFAULT", "TRY")
    rows = [(each.name, each.type, _default(each), f"--set {each.name}={_example(each)}") for each in options]
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for option, row in zip([None, *options], [titles, *rows], strict=True):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print_answer(f"  {'  '.join(cells)}".rstrip())
        if option is not None:
            takes = f"takes {option.constraint}" if option.constraint else ""
            for line in filter(None, (option.description, takes)):
                print_answer(f"      {line}")


def _default(option: Option) -> str:
    return "required" if option.required else json.dumps(option.default, ensure_ascii=False)


def _example(option: Option) -> str:
    """Return a value as it is typed behind ``--set NAME=``, fit for a shell."""
    value = option.default if option.example is None else option.example
    if option.type == "size" and isinstance(value, list):
        return "x".join(map(str, value))
    if isinstance(value, str):
        return shlex.quote(value)
    return shlex.quote(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
