"""``darkroom handlers relock``: the newest packages that fit, from now on."""

from __future__ import annotations

from typing import Annotated

import typer

from darkroom_client.client import Client
from darkroom_client.command_options import AsJson, Server
from darkroom_client.errors import InvalidArgument
from darkroom_client.output import print_answer, print_json, reporting, say
from darkroom_client.progress_view import ProgressView


@reporting
def relock(
    name: Annotated[str, typer.Argument(metavar="REPOSITORY[@VERSION]", help="Such as lab, or lab@v1.")],
    version: Annotated[str, typer.Argument(metavar="VERSION", help="Instead of @VERSION; else latest.")] = "",
    as_json: AsJson = False,
    server: Server = None,
) -> None:
    """Resolve a repository's requirements again: later requests at that commit get a new key."""
    repository, at, labelled = name.partition("@")
    if "/" in repository:
        raise InvalidArgument(f"{name}: a lock is the whole repository's; write {repository.partition('/')[0]}")
    if (at and not labelled) or (version and labelled and version != labelled):
        raise InvalidArgument(f"{name} {version}: one version would do, as in {repository}@v1")
    with Client(server) as client, ProgressView(repository) as view:
        found = client.relock(repository, labelled or version or "latest", on_progress=view.show)
    if as_json:
        print_json(found)
        return
    print_answer(found.lock_digest)
    if found.previous_lock_digest == found.lock_digest:
        say(f"{repository} at {found.commit[:12]} has the newest packages already")
    else:
        say(f"{repository} at {found.commit[:12]} has a new lock: the next request builds with it, under a new key")
