"""Loads a command's module when the command is asked for: all of them would take as long as a hit does."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command


class Commands(UserDict[str, Any]):
    """Commands by name, given as ``module:function`` of this package, or ``module:app`` for a group."""

    def __getitem__(self, name: str) -> Any:
        found = super().__getitem__(name)
        if isinstance(found, str):
            found = self.data[name] = _load(name, found)
        return found


def command_group(places: Mapping[str, str]) -> type[TyperGroup]:
    """Return the kind of group that has these commands, in this order."""

    class Group(TyperGroup):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.commands = Commands(places)

    return Group


def _load(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(f"darkroom_client.{module}"), attribute)
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=name)
        group = get_command(app)
        assert isinstance(group, TyperGroup)
        return group.commands[name]
    app.command(name, cls=getattr(found, "command_class", None))(found)
    return get_command(app)
