"""``darkroom resolve``: say what a request would get, and on a miss why."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from darkroom_client.client import Client
from darkroom_client.command_options import AsJson, Config, DatasetName, Server, Settings, Version
from darkroom_client.config_input import read_config
from darkroom_client.miss_text import cost_line, miss_table, raw_lines
from darkroom_client.output import print_answer, print_json, reporting, say
from darkroom_client.progress_view import ProgressView

# Where nobody's terminal gives the width.
_WIDTH = 160


@reporting
def resolve(
    name: DatasetName,
    version: Version = "latest",
    config: Config = None,
    settings: Settings = None,
    as_json: AsJson = False,
    server: Server = None,
) -> None:
    """Say what a request would get, without building: the key, hit or miss, and why.

    On a miss: the nearest datasets with the fields that differ, and what a build would cost.
    """
    asked = read_config(config, settings or [])
    with Client(server) as client, ProgressView(name) as view:
        found = client.resolve(name, version, asked, on_progress=view.show)
    if as_json:
        print_json(found)
        return
    print_answer(found.key)
    say(f"{'hit' if found.hit else 'miss'}: {found.reason}")
    if found.nearest:
        say_table(*miss_table(found))
        for near in found.nearest:
            for line in raw_lines(near):
                say(line)
    if found.cost:
        say(cost_line(found.cost))


def say_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Show a table on standard error."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        # Values are data: brackets in them are no markup.
        table.add_row(*map(Text, row))
    Console(stderr=True, width=None if sys.stderr.isatty() else _WIDTH, highlight=False).print(table)
