"""Which commit a version means among the tags and branches of a git repository.

``latest`` is the newest release tag. A tag goes before a branch of the same name, as in git. Otherwise a version is a
whole commit, or the beginning of one that a tag or branch stands at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dataset_registry.release_tags import releases
from service_kit.errors import InvalidArgument, NotFound

LATEST = "latest"
COMMIT = re.compile(r"[0-9a-f]{40}")
_SHORT = re.compile(r"[0-9a-f]{7,39}")
_TAG, _BRANCH = "refs/tags/", "refs/heads/"
# So many tags and so many branches are named in an error.
_NAMED = 8
# Releases that a listing may fall back to when the newest is not described yet.
_OFFERED = 20


def find_version(repository: str, version: str, refs: Mapping[str, str]) -> str:
    """Return the commit. Raises `NotFound` listing what there is, `InvalidArgument` for an ambiguous beginning."""
    tags, branches = _named(refs, _TAG), _named(refs, _BRANCH)
    if version == LATEST:
        newest = releases(tags)
        if not newest:
            raise NotFound(
                f"repository {repository!r} has no release tag, so it has no `latest`; name a version: "
                f"{_listed(tags, branches)}"
            )
        return tags[newest[0]]
    if COMMIT.fullmatch(version):
        return version
    for names in (tags, branches):
        if version in names:
            return names[version]
    if _SHORT.fullmatch(version):
        found = {commit for commit in refs.values() if commit.startswith(version)}
        if len(found) > 1:
            raise InvalidArgument.of(
                [("handler_version", f"more than one commit of {repository!r} begins with {version}; give more digits")]
            )
        if found:
            return found.pop()
    raise NotFound(f"repository {repository!r} has no version {version!r}; it has {_listed(tags, branches)}")


def newest_versions(refs: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the newest releases, the newest first, then the branch that the repository shows by itself."""
    tags, branches = _named(refs, _TAG), _named(refs, _BRANCH)
    offered = [(tag, tags[tag]) for tag in releases(tags)[:_OFFERED]]
    head = refs.get("HEAD")
    default = sorted((name not in ("main", "master"), name) for name, commit in branches.items() if commit == head)
    return offered + [(name, branches[name]) for _, name in default[:1]]


def _named(refs: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): commit for name, commit in refs.items() if name.startswith(prefix)}


def _listed(tags: Mapping[str, str], branches: Mapping[str, str]) -> str:
    newest = releases(tags)
    ordered = newest + sorted(set(tags) - set(newest))
    parts = []
    for word, names in (("tags", ordered), ("branches", sorted(branches))):
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        parts.append(f"the {word} {', '.join(names[:_NAMED])}{more}" if names else f"no {word}")
    return " and ".join(parts)
