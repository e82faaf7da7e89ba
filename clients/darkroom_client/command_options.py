"""The options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand

Server = Annotated[
    str | None, typer.Option("--server", metavar="HOST:PORT", help="The registry; else DARKROOM_SERVER.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object on standard output.")]
Config = Annotated[
    str | None, typer.Option("--config", "-c", metavar="FILE", help="The config, YAML or JSON; - reads standard input.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="One option of the config: JSON, 256x256 for a size, or text. Repeatable."
    ),
]
LimitRate = Annotated[
    str | None,
    typer.Option(
        "--limit-rate",
        metavar="RATE",
        help="Download at most so many bytes a second: 800K, 10M; else DARKROOM_BANDWIDTH.",
    ),
]
DatasetName = Annotated[str, typer.Argument(metavar="NAME", help="The dataset name, as defined.")]
Version = Annotated[str, typer.Argument(metavar="VERSION", help="The handler's version: tag, branch or commit.")]
Address = Annotated[
    str,
    typer.Argument(
        metavar="DATASET", help="A key or its first digits, datasets/KEY, an archive's name, or a dataset name."
    ),
]
RequestOrAddress = Annotated[
    str, typer.Argument(metavar="DATASET", help="requests/ID, or a dataset as in `darkroom show`.")
]

TAIL = "darkroom.tail"
Function = TypeVar("Function", bound=Callable[..., None])


class CommandWithTail(TyperCommand):
    """A command that leaves everything behind ``--`` alone, so that it can be run as it stands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            args, ctx.meta[TAIL] = args[:at], args[at + 1 :]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND...]"]


def with_tail(function: Function) -> Function:
    """Make what is behind ``--`` the command's own: ``context.meta[TAIL]``."""
    function.command_class = CommandWithTail  # type: ignore[attr-defined]
    return function
