"""Says what would do where a handler meets what only its author's own machine has: a system library, a network."""

from __future__ import annotations

from typing import Iterator

from dataset_handlers.remedy_library import missing_library
from dataset_handlers.remedy_network import out_of_reach


def remedy_of(error: BaseException) -> str:
    """Returns one or two sentences that name the library or the host and say what would do; empty for other errors."""
    for link in _links(error):
        remedy = missing_library(link) or out_of_reach(link)
        if remedy:
            return remedy
    return ""


def _links(error: BaseException) -> Iterator[BaseException]:
    """Yields the error and all that led to it: causes, what was being handled, and what others wrapped."""
    seen = set()
    waiting = [error]
    while waiting:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        # urllib keeps the socket's error in `reason`, requests and urllib3 keep one another's in `args`.
        inner = [link.__cause__, link.__context__, getattr(link, "reason", None), *getattr(link, "args", ())]
        waiting += [each for each in inner if isinstance(each, BaseException)]
