"""Matches paths of raw files with patterns as people know them from ``.gitignore``.

``*`` stands for anything within one name, ``?`` for one character, ``[a-z]`` and ``[!a-z]`` for one of several, ``**``
for any number of folders. A pattern without ``/`` matches a name in any folder; one with ``/`` counts from the top. A
pattern that matches a folder matches all that lies in it; with a ``/`` at its end it matches folders alone.
"""

from __future__ import annotations

import re
from typing import Iterable, List, Pattern, Sequence


class PathPatterns:
    """Several patterns, and which of them have matched anything yet."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Raises ``ValueError`` for one that is no pattern; `pattern_fault` says why."""
        for pattern in patterns:
            fault = pattern_fault(pattern)
            if fault:
                raise ValueError(f"{pattern!r} {fault}")
        self._patterns = list(patterns)
        self._single: List[Pattern[str]] = [re.compile(_expression(pattern), re.DOTALL) for pattern in patterns]
        joined = "|".join(f"(?:{_expression(pattern)})" for pattern in patterns)
        # Most paths match none: one search says so for all patterns at once.
        self._any = re.compile(joined or r"(?!)", re.DOTALL)
        self._used = [False] * len(self._patterns)

    def match(self, path: str) -> bool:
        """Whether any pattern matches ``path``, relative and with ``/``."""
        if not self._any.match(path):
            return False
        for number, single in enumerate(self._single):
            self._used[number] = self._used[number] or single.match(path) is not None
        return True

    @property
    def unused(self) -> List[str]:
        """The patterns that have matched nothing yet."""
        return [pattern for pattern, used in zip(self._patterns, self._used) if not used]


def pattern_fault(pattern: str) -> str:
    """Returns what is wrong with ``pattern`` and what would do; nothing if it is one."""
    names = pattern.strip("/").split("/")
    if not pattern.strip().strip("/"):
        return "is empty; *.png or drafts/ would do"
    if pattern.startswith("!"):
        return "begins with !, which takes nothing back here; [!]name would match a name that begins so"
    if "\\" in pattern:
        return "holds a backslash; folders are parted by /, and [*] matches a star"
    if any(name in ("", ".", "..") for name in names):
        return "holds an empty name, . or ..; paths count from the top of the raw dataset, such as a/b.jpg"
    if any("**" in name and name != "**" for name in names):
        return "holds ** beside other characters; ** stands alone between slashes, * is for part of a name"
    for name in names:
        if "[" in re.sub(r"\[!?\]?[^\]]*\]", "", name):
            return "opens a [ that it does not close; [[] matches a bracket"
    try:
        re.compile(_expression(pattern))
    except re.error as error:
        return f"is no pattern ({error}); *.png or drafts/ would do"
    return ""


def unmatched(patterns: Iterable[str], limit: int = 5) -> str:
    """Names the first few of ``patterns``, for a message."""
    names = list(patterns)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(map(repr, names[:limit])) + more


def _expression(pattern: str) -> str:
    names = pattern.strip("/").split("/")
    anywhere = len(names) == 1 and not pattern.startswith("/")
    expression = "(?:.*/)?" if anywhere else ""
    for number, name in enumerate(names):
        last = number == len(names) - 1
        if name == "**":
            expression += ".+" if last else "(?:.*/)?"
        else:
            expression += _name_expression(name) + ("" if last else "/")
    return expression + ("/.*$" if pattern.endswith("/") else "(?:/.*)?$")


def _name_expression(name: str) -> str:
    parts = re.split(r"(\[!?\]?[^\]]*\]|\*|\?)", name)
    return "".join(_part_expression(part) for part in parts)


def _part_expression(part: str) -> str:
    if part == "*":
        return "[^/]*"
    if part == "?":
        return "[^/]"
    if part.startswith("[") and part.endswith("]") and len(part) > 2:
        negated = part[1] == "!" and len(part) > 3
        inside = re.sub(r"([\\\]\[^&~|])", r"\\\1", part[2 if negated else 1 : -1])
        return f"(?!/)[{'^' if negated else ''}{inside}]"
    return re.escape(part)
