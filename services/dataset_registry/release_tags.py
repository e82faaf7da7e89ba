"""Which tags are releases, and which of them is the newest: what ``latest`` means."""

from __future__ import annotations

import re
from collections.abc import Iterable

from packaging.version import InvalidVersion, Version

# v1.2, release-1.2, handlers/1.2: what stands before the first digit says nothing about the order.
_NUMBERS = re.compile(r"(?:.*[-_/])?[vV]?(?=[0-9])")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(.*)")
# 1.2.3-anything and +anything, as semantic versions have them.
_SEMANTIC = re.compile(r"([0-9]+(?:\.[0-9]+)*)-[0-9A-Za-z.-]+(?:\+[0-9A-Za-z.-]+)?")


def releases(tags: Iterable[str]) -> list[str]:
    """Return the tags that are versions, the newest first; pre-releases stand behind all others."""
    known = [(version, tag) for tag in tags if (version := release_version(tag)) is not None]
    known.sort(key=lambda each: (not each[0].is_prerelease, each[0], each[1]), reverse=True)
    return [tag for _, tag in known]


def release_version(tag: str) -> Version | None:
    """Return a tag's version by the rules of PEP 440, or those of semantic versions; None: it is no release."""
    found = re.match(r"[vV]?(?=[0-9])", tag) or _NUMBERS.match(tag)
    if found is None:
        return None
    text = _DATE.sub(r"\1.\2.\3\4", tag[found.end() :])
    try:
        return Version(text)
    except InvalidVersion:
        semantic = _SEMANTIC.fullmatch(text)
        return Version(f"{semantic[1]}.dev0") if semantic else None
