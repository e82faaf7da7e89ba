"""``darkroom usage``: who asks for what, how often that needs a build, and how much is downloaded."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

import typer

from darkroom_client.catalog import Usage, UsageBy
from darkroom_client.client import Client
from darkroom_client.command_options import AsJson, Server
from darkroom_client.errors import InvalidArgument
from darkroom_client.output import print_json, print_table, reporting, say, size_text
from darkroom_client.progress_text import duration_text

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
# A span that long is beyond what a moment can be subtracted by.
_MAX_DAYS = 36_500


@reporting
def usage(
    by: Annotated[UsageBy, typer.Option("--by", metavar="KIND", help="dataset, name or user.")] = UsageBy.DATASET,
    since: Annotated[str, typer.Option("--since", metavar="SPAN", help="How far back: 90m, 36h, 30d or all.")] = "30d",
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most so many lines.")] = 20,
    as_json: AsJson = False,
    server: Server = None,
) -> None:
    """Show what was asked for, built and downloaded, most requested first."""
    span = None if since == "all" else parse_span(since)
    with Client(server) as client:
        found = client.usage(by, since=span, limit=limit)
    if as_json:
        print_json({"usage": found})
    elif found:
        _print_lines(found, by)
    else:
        say(f"nothing was asked for, built or downloaded {'yet' if span is None else f'in the last {since}'}")


def parse_span(text: str) -> timedelta:
    """Return the span of ``30d``, ``36h`` or ``90m``. Raises `InvalidArgument`."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)([mhd])", text)
    if found is None:
        raise InvalidArgument(f"--since {text}: write a span such as 90m, 36h or 30d, or all")
    span = timedelta(**{_UNITS[found[2]]: float(found[1])})
    if span > timedelta(days=_MAX_DAYS):
        raise InvalidArgument(f"--since {text}: at most {_MAX_DAYS}d; all shows everything")
    return span


def _print_lines(found: list[Usage], by: UsageBy) -> None:
    titles = ["REQUESTS", "HITS", "JOINED", "BUILDS", "BUILD TIME", "DOWNLOADS", "BYTES"]
    first = {UsageBy.DATASET: ["DATASET", "NAME"], UsageBy.NAME: ["NAME"], UsageBy.USER: ["USER"]}[by]
    rows = []
    for each in found:
        group = each.group[:12] if by is UsageBy.DATASET else each.group
        rows.append(
            (
                *([group, each.dataset_name] if by is UsageBy.DATASET else [group or "-"]),
                each.requests,
                each.hits,
                each.joined,
                each.builds,
                duration_text(each.build_time) if each.build_time else "-",
                each.downloads,
                size_text(each.download_bytes),
            )
        )
    print_table([*first, *titles], rows)
