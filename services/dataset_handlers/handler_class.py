"""What can be said about a handler's class before it has a config: its name, style, roles, options and description.

A class is a handler if it extends ours, or if it has the seed's shape: ``__init__(config, base_data_path)``,
``config_options()`` and ``as_tfrecord()``.
"""

from __future__ import annotations

import inspect
import os
import re
from typing import Any, Dict, List, Mapping, Type

from dataset_handlers.declaration import declared, normalise_config
from dataset_handlers.errors import HandlerError, RawMissing
from dataset_handlers.options import Integer, Number, Object, Option
from dataset_handlers.splits import DEFAULT_SPLITS


def is_handler(candidate: Any) -> bool:
    """Whether ``candidate`` is a class that can be used as a handler."""
    if not isinstance(candidate, type):
        return False
    base = _base()
    if not issubclass(candidate, base):
        return callable(getattr(candidate, "as_tfrecord", None)) and hasattr(candidate, "config_options")
    overrides = [getattr(candidate, method) is not getattr(base, method) for method in ("samples", "examples")]
    return all(overrides) or style_of(candidate) == "records"


def name_of(handler_class: Type[Any]) -> str:
    """Returns what the handler is called in its repository."""
    name = getattr(handler_class, "name", "")
    if isinstance(name, str) and name:
        return name
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", handler_class.__name__).lower()
    # The seed's class is called DatasetHandler; "dataset" would say nothing.
    return snake if snake in ("dataset_handler", "handler") else re.sub(r"_?handler$", "", snake)


def style_of(handler_class: Type[Any]) -> str:
    """Returns "samples" for a handler that the base class shards, "records" for one that writes its own files."""
    base = _base()
    if issubclass(handler_class, base) and handler_class.as_tfrecord is base.as_tfrecord:
        return "samples"
    return "records"


def roles_of(handler_class: Type[Any]) -> List[str]:
    """Returns the raw datasets that it needs."""
    return list(getattr(handler_class, "roles", ("photos",)))


def description_of(handler_class: Type[Any]) -> str:
    """Returns the first line of its docstring."""
    return (inspect.cleandoc(handler_class.__doc__ or "").splitlines() or [""])[0]


def options_of(handler_class: Type[Any]) -> Dict[str, Option]:
    """Returns every option: its own, and for a sharded handler those that the base class adds."""
    options = declared(_declaration(handler_class))
    if style_of(handler_class) == "samples":
        for name, option in base_options().items():
            options.setdefault(name, option)
    return options


def base_options() -> Dict[str, Option]:
    """Returns the options of every handler that the base class shards."""
    return declared(
        {
            "splits": Object(
                Number(minimum=0),
                DEFAULT_SPLITS,
                "The splits and their shares of the source photos; scaled to sum 1",
                example={"train": 0.9, "test": 0.1},
            ),
            "seed": Integer(0, "Another seed gives other crops, flips and masks; the splits stay", minimum=0),
            "variations_per_sample": Integer(1, "How many variations each sample has", minimum=1),
            "max_bad_fraction": Number(
                0.01,
                "Share of source files that may be unreadable and skipped; above 0 at least one may",
                minimum=0,
                maximum=1,
            ),
        }
    )


def make_handler(handler_class: Type[Any], config: Mapping[str, Any], raw: Mapping[str, str]) -> Any:
    """Returns a handler for a config and a folder for each role, checked.

    Raises ``BadConfig``, or ``RawMissing`` for a role without a folder.
    """
    roles = roles_of(handler_class)
    for role in roles:
        if role not in raw:
            raise RawMissing(f"the role {role!r} has no raw dataset; roles: {', '.join(roles)}")
        if not os.path.isdir(raw[role]):
            raise RawMissing(f"the raw folder {raw[role]} (role {role!r}) is not there")
    values = normalise_config(options_of(handler_class), config)
    # With one role a handler gets the folder itself, as the seed's handlers expect it.
    handler = handler_class(values, str(raw[roles[0]]) if len(roles) == 1 else {role: raw[role] for role in roles})
    if isinstance(handler, _base()):
        handler.check()
    return handler


def _base() -> Type[Any]:
    from dataset_handlers.handler import DatasetHandler

    return DatasetHandler


def _declaration(handler_class: Type[Any]) -> Any:
    raw = inspect.getattr_static(handler_class, "config_options")
    if isinstance(raw, (staticmethod, classmethod)):
        return handler_class.config_options()
    if isinstance(raw, property):
        return handler_class.config_options.fget(_blank(handler_class))
    if not callable(raw):
        return raw
    # A plain method: the seed asks an instance, but there is none before there is a config.
    try:
        return raw(_blank(handler_class)) if inspect.signature(raw).parameters else raw()
    except AttributeError as error:
        raise HandlerError(
            f"config_options() of {handler_class.__name__} needs an instance that is set up: {error}; "
            "a classmethod would do"
        ) from error


def _blank(handler_class: Type[Any]) -> Any:
    return object.__new__(handler_class)
