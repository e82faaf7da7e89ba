"""``darkroom doctor``: check a deployment from this machine, and say what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from darkroom_client.async_client import AsyncClient
from darkroom_client.command_options import AsJson, Server
from darkroom_client.doctor import look
from darkroom_client.doctor_check import Check, Level, well
from darkroom_client.event_loop import shared_loop
from darkroom_client.output import ExitCode, print_answer, print_json, reporting, say


@reporting
def doctor(
    home: Annotated[
        Path | None,
        typer.Option("--home", metavar="DIR", help="Look into the home of a `darkroom up` on this machine, too."),
    ] = None,
    as_json: AsJson = False,
    server: Server = None,
) -> None:
    """Check a deployment as this machine meets it: a line for each part, and what would do where it is not well."""
    checks: list[Check] = []

    async def run() -> None:
        async with AsyncClient(server) as client:
            async for check in look(client, home.expanduser().absolute() if home else None):
                checks.append(check)
                if not as_json:
                    tell(check)

    shared_loop().run(run())
    if as_json:
        print_json({"ok": well(checks), "checks": checks})
    else:
        counts = {level: sum(each.level == level for each in checks) for level in Level}
        say(", ".join(f"{count} {level}" for level, count in counts.items()))
    if not well(checks):
        raise typer.Exit(ExitCode.FAILED)


def tell(check: Check) -> None:
    """Print one line, and what would do on the next."""
    print_answer(f"{check.level:<5} {check.subject}: {check.text}")
    if check.remedy and check.level != Level.OK:
        print_answer(f"      -> {check.remedy}")
