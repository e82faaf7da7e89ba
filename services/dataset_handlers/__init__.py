"""Turns raw photos into examples for training: the contract of a Darkroom dataset handler, and what its author needs.

Importing this package costs nothing: each name is imported when it is first used, so that the child process can say
hello before NumPy is loaded, and so that a handler in the seed's style never loads what it does not use.
"""

from __future__ import annotations

import typing
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataset_handlers.errors import BadConfig, BadRawRecord, HandlerError, RawMissing
    from dataset_handlers.handler import DatasetHandler
    from dataset_handlers.options import (
        Boolean,
        Choice,
        InputAttributes,
        Integer,
        List,
        Number,
        Object,
        Option,
        Size,
        String,
    )
    from dataset_handlers.photos import photo_samples
    from dataset_handlers.sample import Sample
    from dataset_handlers.source import source_digest

__version__ = "0.1.0"

_HOMES = {
    "BadConfig": "errors",
    "BadRawRecord": "errors",
    "HandlerError": "errors",
    "RawMissing": "errors",
    "DatasetHandler": "handler",
    "Boolean": "options",
    "Choice": "options",
    "InputAttributes": "options",
    "Integer": "options",
    "List": "options",
    "Number": "options",
    "Object": "options",
    "Option": "options",
    "Size": "options",
    "String": "options",
    "photo_samples": "photos",
    "Sample": "sample",
    "source_digest": "source",
}

__all__ = [
    "BadConfig",
    "BadRawRecord",
    "Boolean",
    "Choice",
    "DatasetHandler",
    "HandlerError",
    "InputAttributes",
    "Integer",
    "List",
    "Number",
    "Object",
    "Option",
    "RawMissing",
    "Sample",
    "Size",
    "String",
    "photo_samples",
    "source_digest",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'dataset_handlers' has no attribute {name!r}")
    value = getattr(import_module(f"dataset_handlers.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> typing.List[str]:
    return sorted([*globals(), *__all__])
