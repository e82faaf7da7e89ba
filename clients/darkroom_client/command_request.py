"""``darkroom request``: ask for a dataset, watch it come, and run the training that waits for it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any

import typer

from darkroom_client.client import Client, DatasetRequest
from darkroom_client.command_options import (
    TAIL,
    AsJson,
    Config,
    DatasetName,
    LimitRate,
    Server,
    Settings,
    Version,
    with_tail,
)
from darkroom_client.config_input import read_config
from darkroom_client.dataset import Dataset
from darkroom_client.errors import InvalidArgument
from darkroom_client.freed_memory import keep_freed_memory
from darkroom_client.miss_note import MissNote
from darkroom_client.output import ExitCode, print_answer, print_json, reporting, say, size_text
from darkroom_client.progress_view import ProgressView
from darkroom_client.snapshot import RequestSnapshot
from darkroom_client.tracing import leave_command


@with_tail
@reporting
def request(
    context: typer.Context,
    name: DatasetName,
    version: Version = "latest",
    config: Config = None,
    settings: Settings = None,
    detach: Annotated[bool, typer.Option("--detach", help="Print the request and go; the build goes on.")] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="Build again although the last attempt failed in a way that repeats.")
    ] = False,
    time_to_live: Annotated[
        float | None, typer.Option("--time-to-live", metavar="HOURS", help="End the interest by itself.")
    ] = None,
    limit_rate: LimitRate = None,
    as_json: AsJson = False,
    server: Server = None,
) -> None:
    """Ask for a dataset, wait until it is in the cache, and run COMMAND with DARKROOM_DATASET set.

    Without COMMAND, print the folder. Ctrl-C detaches: the build goes on.
    """
    command = context.meta.get(TAIL, [])
    # A build takes hours: a mistyped command is better refused before it than found after it.
    if command and shutil.which(command[0]) is None:
        raise InvalidArgument(f"no command {command[0]!r} is found; what follows -- is run when the dataset is there")
    asked = read_config(config, settings or [])
    with Client(server, limit_rate=limit_rate) as client:
        lives = timedelta(hours=time_to_live) if time_to_live is not None else None
        made = client.request_dataset(name, version, asked, retry=retry, time_to_live=lives)
        if detach:
            _print_detached(made, as_json)
            return
        note = MissNote(lambda: client.resolve(name, version, asked))
        with detaching(made):
            dataset = fetch(made, note.show)
        snapshot = made.snapshot
    if as_json:
        print_json(dataset_fields(snapshot, dataset))
    elif not command:
        print_answer(str(dataset.path))
    if command:
        run_command(command, dataset, as_json)


def fetch(made: DatasetRequest, on_wait: Callable[[RequestSnapshot], None] = lambda snapshot: None) -> Dataset:
    """Wait for the request and download its dataset, shown on the way; ``on_wait`` hears of what it waits for."""
    keep_freed_memory()
    snapshot = made.snapshot
    with ProgressView(snapshot.dataset_name) as view:
        for snapshot in made.watch():
            if not snapshot.final:
                view.show(snapshot)
                on_wait(snapshot)
        dataset = made.get(on_progress=view.show_download)
    say(f"{snapshot.dataset_name}: {'answered without a build' if snapshot.cached else 'built'}; {summary(dataset)}")
    return dataset


@contextmanager
def detaching(made: DatasetRequest) -> Iterator[None]:
    """On Ctrl-C, say what goes on or is kept, and how to return, and end with 130."""
    try:
        yield
    except KeyboardInterrupt:
        say("")
        if made.snapshot.final:
            say(f"interrupted; what came so far is kept. To go on: darkroom get {made.name}")
        else:
            say("detached; the build goes on. To return:")
            say(f"  darkroom watch {made.name}")
            say(f"  darkroom get {made.name}")
            say(f"  darkroom cancel {made.name}    (withdraws it)")
        raise typer.Exit(ExitCode.DETACHED) from None


def run_command(command: Sequence[str], dataset: Dataset, as_json: bool) -> None:
    """Become the command, so that its signals and its exit code are its own."""
    os.environ["DARKROOM_DATASET"] = str(dataset.path)
    os.environ["DARKROOM_READ_OPTIONS"] = json.dumps(dataset.read_options)
    os.environ["DARKROOM_KEY"] = dataset.key
    dataset.survive_exec()
    sys.stdout.flush()
    sys.stderr.flush()
    if as_json:  # standard output holds the one object
        os.dup2(2, 1)
    leave_command()
    os.execvp(command[0], list(command))


def dataset_fields(snapshot: RequestSnapshot | None, dataset: Dataset) -> dict[str, Any]:
    """Return what ``--json`` says of a dataset that is in the cache."""
    return {
        "request": snapshot.name if snapshot else None,
        "key": dataset.key,
        "state": "READY",
        "cached": snapshot.cached if snapshot else True,
        "archive": snapshot.dataset.archive if snapshot and snapshot.dataset else None,
        "digest": dataset.digest,
        "examples": dataset.examples,
        "bytes": dataset.manifest.size_bytes,
        "splits": dataset.splits,
        "read_options": dataset.read_options,
        "path": str(dataset.path),
    }


def summary(dataset: Dataset) -> str:
    """Return what the dataset holds, in words."""
    splits = ", ".join(f"{split} {examples:,}" for split, examples in sorted(dataset.splits.items()))
    return f"{dataset.examples:,} examples ({splits}), {size_text(dataset.manifest.size_bytes)}"


def _print_detached(made: DatasetRequest, as_json: bool) -> None:
    snapshot = made.snapshot
    if as_json:
        print_json({"request": made.name, "key": snapshot.key, "state": snapshot.state, "cached": snapshot.cached})
    else:
        print_answer(made.name)
        say(f"the build goes on; `darkroom watch {made.name}` shows it, `darkroom get {made.name}` fetches the dataset")
