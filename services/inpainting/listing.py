"""Lists, a page at a time: a token holds the name behind the last one shown."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from service_kit.errors import InvalidArgument

V = TypeVar("V")

DEFAULT_SIZE = 100
MAX_SIZE = 1000


def slice_page(found: Sequence[V], name: Callable[[V], str], size: int, token: str) -> tuple[list[V], str]:
    """Return a page of what is sorted by name, and the token of the next. Raises `InvalidArgument`."""
    if not 0 <= size <= MAX_SIZE:
        raise InvalidArgument.of([("page_size", f"must be 1 to {MAX_SIZE}, not {size}")])
    try:
        after = base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, ValueError):
        raise InvalidArgument.of([("page_token", "must be the next_page_token of an earlier response")]) from None
    left = [each for each in found if name(each) > after]
    shown = left[: size or DEFAULT_SIZE]
    more = len(left) > len(shown)
    return shown, base64.urlsafe_b64encode(name(shown[-1]).encode()).decode() if more else ""
