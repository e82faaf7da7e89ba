"""Lists, a page at a time: a token holds the place behind the last row shown."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from dataset_registry.catalog import Transaction, Where
from dataset_registry.records import Record
from service_kit.errors import InvalidArgument

R = TypeVar("R", bound=Record)
V = TypeVar("V")

DEFAULT_SIZE = 100
MAX_SIZE = 1000

BY_NAME = ("id",)
NEWEST_FIRST = ("-create_time", "-id")


class Page(NamedTuple):
    """What a caller asks for."""

    size: int
    after: Sequence[Any] | None


def page(size: int, token: str) -> Page:
    """Read a request's page fields. Raises `InvalidArgument`."""
    if not 0 <= size <= MAX_SIZE:
        raise InvalidArgument.of([("page_size", f"must be 1 to {MAX_SIZE}, not {size}")])
    if not token:
        return Page(size or DEFAULT_SIZE, None)
    try:
        after = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError):
        after = None
    if not isinstance(after, list):
        raise InvalidArgument.of([("page_token", "must be the next_page_token of an earlier response")])
    return Page(size or DEFAULT_SIZE, after)


def find_page(tx: Transaction, kind: type[R], asked: Page, *where: Where, order: Sequence[str]) -> tuple[list[R], str]:
    """Return a page of records and the token of the next, empty at the end."""
    if asked.after is not None and len(asked.after) != len(order):
        raise InvalidArgument.of([("page_token", "is of another list")])
    found = tx.find(kind, *where, order=order, after=asked.after, limit=asked.size + 1)
    shown = found[: asked.size]
    if len(found) <= asked.size:
        return shown, ""
    return shown, token([getattr(shown[-1], name.removeprefix("-")) for name in order])


def slice_page(found: Mapping[str, V], asked: Page) -> tuple[list[V], str]:
    """Return a page of what is held by name, and the token of the next, empty at the end."""
    match asked.after:
        case None:
            names = sorted(found)
        case [str(after)]:
            names = [name for name in sorted(found) if name > after]
        case _:
            raise InvalidArgument.of([("page_token", "is of another list")])
    shown = names[: asked.size]
    return [found[name] for name in shown], token(shown[-1:]) if len(names) > asked.size else ""


def token(after: Sequence[Any]) -> str:
    """Return the token that stands for a place."""
    return base64.urlsafe_b64encode(json.dumps(list(after)).encode()).decode()
