"""Looks after datasets: ``darkroom ls``, ``show``, ``pin``, ``unpin``, ``delete`` and ``verify``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from darkroom_client.client import Client
from darkroom_client.command_options import Address, AsJson, Server
from darkroom_client.errors import InvalidArgument
from darkroom_client.output import ExitCode, print_answer, print_json, print_table, reporting, say, size_text, time_text
from darkroom_client.progress_text import detail_text, duration_text
from darkroom_client.progress_view import ProgressView
from darkroom_client.snapshot import DatasetSnapshot, DatasetState, RequestSnapshot


@reporting
def list_datasets(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Only those of this dataset name.")] = "",
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help="Only BUILDING, READY, FAILED, CANCELLED, EVICTED.")
    ] = None,
    requests: Annotated[bool, typer.Option("--requests", help="List requests in place of datasets.")] = False,
    as_json: AsJson = False,
    server: Server = None,
) -> None:
    """List the datasets, newest first."""
    wanted = _state(state)
    with Client(server) as client:
        if requests:
            _print_requests(client.list_requests(name), as_json)
            return
        found = client.list_datasets(name, state=wanted)
        definitions = client.list_definitions() if not found else []
    if as_json:
        print_json({"datasets": found})
    elif found:
        _print_datasets(found)
    elif definitions:
        say(f"no datasets yet; defined: {', '.join(each.dataset_name for each in definitions)}. Next: darkroom request")
    else:
        say(
            "no datasets yet, and none is defined; next: darkroom define NAME --handler stock/inpainting --raw photos=…"
        )


@reporting
def show(name: Address, as_json: AsJson = False, server: Server = None) -> None:
    """Show one dataset: its state, its splits, and what it is made from."""
    with Client(server) as client:
        found = client.get_dataset(name)
    if as_json:
        print_json(found)
        return
    facts = {
        "dataset": found.dataset_name,
        "version": found.handler_version,
        "key": found.key,
        "state": found.state + (", pinned" if found.pinned else ""),
        "archive": found.archive,
        "digest": found.digest,
        "size": size_text(found.size_bytes) if found.size_bytes else "",
        "shards": f"{found.shard_count:,}" if found.shard_count else "",
        "examples": ", ".join(f"{split} {count:,}" for split, count in sorted(found.splits.items())),
        "progress": detail_text(found) if not found.final else "",
        "built": f"{time_text(found.ready_time)}, for {found.started_by}" if found.ready_time else "",
        "build time": duration_text(found.build_time) if found.build_time else "",
        "asked for": f"{found.request_count} times, downloaded {found.download_count} times",
        "left out": "\n             ".join(found.skipped),
        "failure": f"{found.failure.failure_class}: {found.failure.message}" if found.failure else "",
    }
    for title, fact in facts.items():
        if fact:
            print_answer(f"{title:<11}  {fact}")
    config = found.preimage.get("config")
    if config is not None:
        print_answer(f"{'config':<11}  {json.dumps(config, ensure_ascii=False)}")


@reporting
def pin(name: Address, as_json: AsJson = False, server: Server = None) -> None:
    """Keep a dataset from being deleted or evicted."""
    with Client(server) as client:
        _print_changed(client.pin(name), "is pinned", as_json)


@reporting
def unpin(name: Address, as_json: AsJson = False, server: Server = None) -> None:
    """Take a pin off."""
    with Client(server) as client:
        _print_changed(client.unpin(name), "is not pinned", as_json)


@reporting
def delete(name: Address, as_json: AsJson = False, server: Server = None) -> None:
    """Forget a dataset; asked for again, it is built again."""
    with Client(server) as client:
        found = client.get_dataset(name)
        client.delete(found.name)
    if as_json:
        print_json({"key": found.key, "deleted": True})
    else:
        say(f"{found.name} ({found.dataset_name}) is deleted")


@reporting
def verify(
    name: Address,
    full: Annotated[bool, typer.Option("--full", help="Read every byte and compare each shard's sha256.")] = False,
    rebuild: Annotated[
        int, typer.Option("--rebuild", metavar="N", help="Build N sampled shards again and compare them.")
    ] = 0,
    as_json: AsJson = False,
    server: Server = None,
) -> None:
    """Check a dataset's bytes in the store; exit 1 when something is wrong."""
    if rebuild < 0:
        raise InvalidArgument(f"--rebuild {rebuild}: a number of shards, 0 or more")
    with Client(server) as client:
        found = client.get_dataset(name)
        with ProgressView(found.dataset_name) as view:
            report = client.verify(found.name, full=full, rebuild_count=rebuild, on_progress=view.show)
    if as_json:
        print_json({"key": found.key, **vars(report)})
    else:
        for problem in report.problems:
            print_answer(problem)
        read = f"{report.shards_read} shards read, {report.shards_rebuilt} built again"
        say(f"{found.name}: {'all is well' if report.ok else f'{len(report.problems)} problems'}; {read}")
        if report.evicted:
            again = "import its archive again" if "imported" in found.preimage else "the next request builds it again"
            say(f"it is marked as evicted: {again}")
    if not report.ok:
        raise typer.Exit(ExitCode.FAILED)


def _state(text: str | None) -> DatasetState | None:
    known = [state for state in DatasetState if state is not DatasetState.UNKNOWN]
    if text is None or text.upper() in known:
        return DatasetState(text.upper()) if text else None
    raise InvalidArgument(f"--state {text}: one of {', '.join(known)}")


def _print_datasets(found: list[DatasetSnapshot]) -> None:
    rows = [
        (
            each.key[:12],
            each.dataset_name,
            each.handler_version,
            each.state + (" pinned" if each.pinned else ""),
            each.example_count,
            size_text(each.size_bytes),
            time_text(each.ready_time or each.create_time),
        )
        for each in found
    ]
    print_table(["KEY", "DATASET", "VERSION", "STATE", "EXAMPLES", "SIZE", "SINCE"], rows)


def _print_requests(found: list[RequestSnapshot], as_json: bool) -> None:
    if as_json:
        print_json({"requests": found})
        return
    rows = [
        (each.name, each.dataset_name, each.state, each.key[:12], each.requester, time_text(each.create_time))
        for each in found
    ]
    print_table(["REQUEST", "DATASET", "STATE", "KEY", "WHO", "SINCE"], rows)


def _print_changed(found: DatasetSnapshot, words: str, as_json: bool) -> None:
    if as_json:
        print_json({"key": found.key, "pinned": found.pinned, "state": found.state})
    else:
        say(f"{found.name} ({found.dataset_name}) {words}")
