"""Returns to what was asked for: ``darkroom watch``, ``get``, ``cancel`` and ``logs``."""

from __future__ import annotations

from typing import Annotated

import typer

from darkroom_client.client import Client
from darkroom_client.command_options import AsJson, LimitRate, RequestOrAddress, Server
from darkroom_client.command_request import dataset_fields, detaching, fetch, summary
from darkroom_client.errors import RequestFailed
from darkroom_client.freed_memory import keep_freed_memory
from darkroom_client.output import ExitCode, print_answer, print_json, reporting, say
from darkroom_client.progress_view import ProgressView
from darkroom_client.snapshot import DatasetSnapshot, DatasetState, Failure, RequestState

RequestName = Annotated[str, typer.Argument(metavar="REQUEST", help="requests/ID, as `darkroom request` prints it.")]


@reporting
def watch(name: RequestOrAddress, as_json: AsJson = False, server: Server = None) -> None:
    """Show a request or a dataset being built until it ends."""
    with Client(server) as client:
        if is_request(name):
            made = client.get_request(request_name(name))
            with detaching(made), ProgressView(made.snapshot.dataset_name) as view:
                for snapshot in made.watch():
                    view.show(snapshot)
                snapshot = made.wait()
            say(f"{made.name} is ready; `darkroom get {made.name}` fetches it")
            if as_json:
                print_json(snapshot)
            return
        found = _watch_dataset(client, name)
        say(f"{found.name} is ready; `darkroom get {found.key[:12]}` fetches it")
        if as_json:
            print_json(found)


@reporting
def get(name: RequestOrAddress, limit_rate: LimitRate = None, as_json: AsJson = False, server: Server = None) -> None:
    """Fetch a dataset into the cache, waiting for its build if need be, and print the folder."""
    with Client(server, limit_rate=limit_rate) as client:
        if is_request(name):
            made = client.get_request(request_name(name))
            with detaching(made):
                dataset = fetch(made)
            fields = dataset_fields(made.snapshot, dataset)
        else:
            found = client.get_dataset(name)
            if not found.final:
                found = _watch_dataset(client, found.name)
            keep_freed_memory()
            try:
                with ProgressView(found.dataset_name) as view:
                    dataset = client.fetch(found, on_progress=view.show_download)
            except KeyboardInterrupt:
                say(f"\ninterrupted; what came so far is kept. To go on: darkroom get {found.key[:12]}")
                raise typer.Exit(ExitCode.DETACHED) from None
            say(f"{found.dataset_name}: {summary(dataset)}")
            fields = dataset_fields(None, dataset) | {"archive": found.archive}
    if as_json:
        print_json(fields)
    else:
        print_answer(str(dataset.path))


@reporting
def cancel(name: RequestName, as_json: AsJson = False, server: Server = None) -> None:
    """Withdraw a request; its build stops when nobody else waits for it."""
    with Client(server) as client:
        snapshot = client.get_request(request_name(name)).cancel()
    if as_json:
        print_json({"request": snapshot.name, "key": snapshot.key, "state": snapshot.state})
    elif snapshot.state is RequestState.CANCELLED:
        say(f"{snapshot.name} is withdrawn")
    else:
        say(f"{snapshot.name} had ended already: {snapshot.state}")


@reporting
def logs(
    name: RequestOrAddress,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the build ends.")] = False,
    server: Server = None,
) -> None:
    """Print what the builds of a dataset wrote to their log."""
    empty = True
    with Client(server) as client:
        for text in client.read_log(request_name(name) if is_request(name) else name, follow=follow):
            typer.echo(text, nl=False)
            empty = empty and not text
    if empty:
        say("the log is empty: the handler printed nothing")


def is_request(name: str) -> bool:
    """Return whether ``name`` is a request's: ``requests/{uuid}``, or a bare UUID."""
    return name.startswith("requests/") or (len(name) == 36 and name.count("-") == 4)


def request_name(name: str) -> str:
    """Return ``requests/{uuid}``."""
    return name if name.startswith("requests/") else f"requests/{name}"


def _watch_dataset(client: Client, name: str) -> DatasetSnapshot:
    snapshot = client.get_dataset(name)
    try:
        with ProgressView(snapshot.dataset_name) as view:
            for newer in client.watch_dataset(snapshot.name):
                view.show(snapshot := newer)
    except KeyboardInterrupt:
        say(f"\ndetached; the build goes on. To return: darkroom watch {snapshot.key[:12]}")
        raise typer.Exit(ExitCode.DETACHED) from None
    if snapshot.state is not DatasetState.READY:
        raise RequestFailed(snapshot.failure or Failure(str(snapshot.state), f"{snapshot.name} is {snapshot.state}"))
    return snapshot
