"""Reads what ``config_options()`` declares, and normalises a config by it."""

from __future__ import annotations

import math
import typing
from typing import Any, Dict, Mapping

from dataset_handlers.errors import BadConfig, HandlerError
from dataset_handlers.options import Boolean, Integer, List, Number, Object, Option, String


def declared(declaration: Any) -> Dict[str, Option]:
    """Returns the options of a declaration: a dict, or a list of named options or (name, option or default) pairs."""
    if isinstance(declaration, Mapping):
        pairs = list(declaration.items())
    elif isinstance(declaration, (list, tuple)):
        pairs = [_pair(item) for item in declaration]
    else:
        raise HandlerError(f"config_options() returned {type(declaration).__name__}; a dict of name: Option would do")
    options: Dict[str, Option] = {}
    for name, value in pairs:
        if not isinstance(name, str) or not name.isidentifier():
            raise HandlerError(f"config_options() names an option {name!r}; a name must be a Python identifier")
        options[name] = value if isinstance(value, Option) else option_of_default(name, value)
        options[name].name = name
    return options


def option_of_default(name: str, default: Any) -> Option:
    """Returns the option that a plain default declares: its type is the default's."""
    if isinstance(default, bool):
        return Boolean(default)
    if isinstance(default, int):
        return Integer(default)
    if isinstance(default, float) and math.isfinite(default):
        return Number(default)
    if isinstance(default, str):
        return String(default)
    if isinstance(default, (list, tuple)):
        return List(Option(), default)
    if isinstance(default, Mapping):
        return Object(None, default)
    if default is None:
        return Option(None)
    raise HandlerError(f"option {name!r} has the default {default!r}, which has no form in JSON; declare an Option")


def normalise_config(options: Mapping[str, Option], config: Mapping[str, Any]) -> Dict[str, Any]:
    """Returns every option's value, defaults filled in; raises ``BadConfig`` naming all that is wrong at once."""
    violations = [(f"config.{name}", _unknown(name, list(options))) for name in config if name not in options]
    values: Dict[str, Any] = {}
    for name, option in options.items():
        if name not in config:
            if option.required and not option.read_time:
                violations.append((f"config.{name}", f"is missing; {option.constraint} would do"))
            else:
                # A build does not know what only the reader will say.
                values[name] = None if option.required else option.default
            continue
        try:
            values[name] = option.normalise(config[name], f"config.{name}")
        except BadConfig as error:
            violations += error.violations
    if violations:
        raise BadConfig(violations)
    return values


def _pair(item: Any) -> Any:
    if isinstance(item, Option):
        return item.name, item
    if isinstance(item, (list, tuple)) and len(item) == 2:
        return item[0], item[1]
    raise HandlerError(f"config_options() lists {item!r}; a named Option or a (name, default) pair would do")


def _unknown(name: object, valid: typing.List[str]) -> str:
    import difflib

    near = difflib.get_close_matches(str(name), valid, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"no such option.{hint} Valid: {', '.join(sorted(valid)) or 'none'}"
