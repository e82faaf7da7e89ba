"""Looks after this machine's copies: ``darkroom cache ls``, ``gc`` and ``verify``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

import typer

from darkroom_client.cache import Cache
from darkroom_client.cache_upkeep import CachedDataset, cached_datasets, collect, verify_cached
from darkroom_client.command_options import AsJson
from darkroom_client.errors import InvalidArgument, NotFound
from darkroom_client.output import ExitCode, print_answer, print_json, print_table, reporting, say, size_text, time_text

cache_app = typer.Typer(help="Look after this machine's copies of datasets.", no_args_is_help=True)

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
SPANS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@cache_app.command("ls")
@reporting
def list_cache(as_json: AsJson = False) -> None:
    """List the datasets in the cache, the longest unused first."""
    cache = Cache()
    held = cached_datasets(cache)
    size_bytes = sum(cached.size_bytes for cached in held)
    if as_json:
        print_json({"path": cache.folder, "bytes": size_bytes, "datasets": held})
        return
    if held:
        _print_cached(held)
    say(f"{len(held)} datasets, {size_text(size_bytes)} in {cache.folder}")


@cache_app.command("gc")
@reporting
def collect_cache(
    max_bytes: Annotated[
        str | None, typer.Option("--max-bytes", metavar="SIZE", help="Keep at most so much: 50GB, 500MB, or bytes.")
    ] = None,
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="SPAN", help="Remove what was not used for: 30d, 12h, 90m.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove the longest unused datasets; what a process reads now stays."""
    if max_bytes is None and older_than is None:
        raise InvalidArgument("say what may go: --max-bytes SIZE, --older-than SPAN, or both")
    limit = parse_size(max_bytes) if max_bytes is not None else None
    span = parse_span(older_than) if older_than is not None else None
    removed = collect(Cache(), max_bytes=limit, older_than=span, dry_run=dry_run)
    freed_bytes = sum(cached.size_bytes for cached in removed)
    if as_json:
        print_json({"removed": removed, "bytes": freed_bytes, "dry_run": dry_run})
        return
    if removed:
        _print_cached(removed)
    say(f"{len(removed)} datasets, {size_text(freed_bytes)} {'would be ' if dry_run else ''}removed")


@cache_app.command("verify")
@reporting
def verify_cache(
    name: Annotated[str, typer.Argument(metavar="DATASET", help="Only this one: a digest, key or dataset name.")] = "",
    as_json: AsJson = False,
) -> None:
    """Read every cached byte; what is damaged is removed, and fetched again when asked for. Exit 1 if any was."""
    cache = Cache()
    held = [
        cached
        for cached in cached_datasets(cache)
        if not cached.partial
        and (not name or cached.dataset_name == name or name.removeprefix("datasets/") in (cached.digest, cached.key))
    ]
    if name and not held:
        raise NotFound(f"no dataset {name!r} is in the cache; `darkroom cache ls` lists it")
    damaged = {cached.digest: found for cached in held if (found := verify_cached(cache, cached))}
    if as_json:
        print_json({"checked": len(held), "damaged": damaged})
    else:
        for cached in held:
            for shard in damaged.get(cached.digest, ()):
                print_answer(f"{cached.path / shard} is damaged; `darkroom get {cached.key[:12]}` fetches it again")
        say(f"{len(held)} datasets read, {len(damaged)} damaged")
    if damaged:
        raise typer.Exit(ExitCode.FAILED)


def parse_size(text: str) -> int:
    """Return the bytes that ``50GB``, ``1.5G`` or ``1000`` mean."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", text.strip().lower())
    if not match:
        raise InvalidArgument(f"--max-bytes {text}: write 50GB, 500MB, or a number of bytes")
    return int(float(match[1]) * UNITS[match[2]])


def parse_span(text: str) -> timedelta:
    """Return the time that ``30d``, ``12h`` or ``90m`` mean."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([mhdw])", text.strip().lower())
    if not match:
        raise InvalidArgument(f"--older-than {text}: write 30d, 12h, 90m or 2w")
    return float(match[1]) * SPANS[match[2]]


def _print_cached(held: list[CachedDataset]) -> None:
    rows = [
        (
            cached.key[:12] or cached.digest[:12],
            cached.dataset_name or "-",
            "partial" if cached.partial else "whole",
            size_text(cached.size_bytes),
            time_text(cached.last_used),
            str(cached.path),
        )
        for cached in held
    ]
    print_table(["KEY", "DATASET", "IS", "SIZE", "LAST USED", "PATH"], rows)
