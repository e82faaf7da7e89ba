"""Describes handlers as plain data: what the registry keeps to refuse a wrong request before any build."""

from __future__ import annotations

import platform
import sys
from typing import Any, Dict, Mapping, Type

from dataset_handlers import __version__
from dataset_handlers.declaration import normalise_config
from dataset_handlers.handler_class import description_of, options_of, roles_of, style_of
from dataset_handlers.options import Option
from dataset_handlers.try_value import try_value


def describe(handlers: Mapping[str, Type[Any]]) -> Dict[str, Any]:
    """Returns every handler's roles and options, and the platform that the code runs on."""
    return {
        "handlers": {name: describe_handler(handler) for name, handler in sorted(handlers.items())},
        "dataset_handlers_version": __version__,
        "platform": {
            "python": "{}.{}".format(*sys.version_info[:2]),
            "os": platform.system().lower(),
            "arch": platform.machine(),
        },
    }


def describe_handler(handler_class: Type[Any]) -> Dict[str, Any]:
    """Returns one handler's description, style, roles, options, and a config that it accepts."""
    options = options_of(handler_class)
    example_config = _example_config(handler_class, options)
    return {
        "description": description_of(handler_class),
        "roles": roles_of(handler_class),
        "style": style_of(handler_class),
        "options": [_describe_option(option, example_config) for option in options.values()],
        "example_config": example_config,
    }


def _describe_option(option: Option, example_config: Mapping[str, Any]) -> Dict[str, Any]:
    described: Dict[str, Any] = {
        "name": option.name,
        "type": option.schema["type"],
        "description": option.description,
        "constraint": option.constraint,
        "read_time": option.read_time,
        "schema": option.schema,
    }
    if not option.required:
        described["default"] = option.default
    example = _example(option, example_config)
    if example is not None:
        described["example"] = example
    return described


def _example(option: Option, example_config: Mapping[str, Any]) -> Any:
    default = None if option.required else option.default
    if option.example is not None:
        return option.example
    if example_config.get(option.name, default) != default:
        return option.normalise(example_config[option.name], f"example_config.{option.name}")
    return try_value(option.schema, default)


def _example_config(handler_class: Type[Any], options: Mapping[str, Option]) -> Dict[str, Any]:
    example = dict(getattr(handler_class, "example_config", {}))
    if example:
        # A wrong example in the documentation should be found by its author, not by its reader.
        normalise_config(options, example)
        return example
    return {name: option.default for name, option in options.items() if not option.required}
