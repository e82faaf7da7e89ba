"""Tries a handler's code as it lies in a folder: on a few samples, without any service, and says what came of it."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Type

from dataset_handlers.discovery import find_handlers
from dataset_handlers.errors import BadConfig, HandlerError
from dataset_handlers.handler_class import description_of, make_handler, name_of, roles_of, style_of
from dataset_handlers.local_module import local_module
from dataset_handlers.network_watch import REMEDY, hosts_reached
from dataset_handlers.sample import Sample


@dataclass(frozen=True)
class Trial:
    """What a handler made of a few samples."""

    handler: str
    description: str
    sheet: str
    """The contact sheet's file; empty for a handler that lists no samples."""
    samples: int
    """All that there are."""
    splits: Dict[str, int]
    shown: int
    """Samples that were tried."""
    examples: int
    features: Dict[str, Any]
    listing_s: float
    example_s: float
    """One example, the median; 0 where none was made."""
    skipped: List[str] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)


@dataclass(frozen=True)
class Wish:
    """What is to be tried: the handler's name may be empty where there is one, a role in ``raw`` where it has one."""

    folder: Path
    module: str
    handler: str
    config: Mapping[str, Any]
    raw: Mapping[str, str]
    sample_count: int
    output: Path
    check: bool = False


def run_trial(wish: Wish, say: Callable[[str], None]) -> Trial:
    """Returns what came of it; raises whatever the handler raises. ``say`` is told how far it is."""
    with hosts_reached() as hosts:
        trial = _tried(wish, say)
    trial.notes.extend(f"the handler reached {host}: a build has no network; {REMEDY}" for host in hosts)
    return trial


def _tried(wish: Wish, say: Callable[[str], None]) -> Trial:
    place, module = local_module(wish.folder, wish.module)
    say(f"importing {module}")
    handler_class = _chosen(find_handlers(wish.folder.name, module, str(place)), wish.handler)
    raw = _by_role(wish.raw, handler_class)
    if style_of(handler_class) == "records":
        trial = _records(handler_class, wish, raw)
    else:
        trial = _samples(handler_class, wish, raw, say)
    if wish.check:
        from dataset_handlers.testing import check_handler

        say("checking the handler's contract")
        report = check_handler(handler_class, wish.config, raw)
        trial.notes.append("keeps the contract of a handler")
        trial.notes.extend(f"not checked: {note}" for note in report.notes)
    return trial


def _samples(handler_class: Type[Any], wish: Wish, raw: Mapping[str, str], say: Callable[[str], None]) -> Trial:
    from dataset_handlers.planning import list_samples, make_plan
    from dataset_handlers.preview import write_preview
    from dataset_handlers.shard_writer import Signatures

    handler = make_handler(handler_class, wish.config, raw)
    say("listing samples")
    begin_s = time.perf_counter()
    listing = list_samples(handler)
    listing_s = time.perf_counter() - begin_s
    signatures = Signatures()
    elapsed_s: List[float] = []
    skipped: List[str] = []
    sample_count = sum(map(len, listing.values()))
    shown = min(wish.sample_count, sample_count)

    def watch(sample: Sample, examples: Sequence[Mapping[str, Any]], took_s: float, reason: str) -> None:
        if reason:
            skipped.append(f"{sample.photo}: {reason}")
        for example in examples:
            signatures.encode(example, sample)
            elapsed_s.append(took_s / len(examples))
        tried.append(sample)
        say(f"{len(tried)} of {shown} samples")

    tried: List[Sample] = []
    name = f"{wish.folder.name}/{name_of(handler_class)}"
    write_preview(handler, f"{name}  ·  as it lies there", listing, wish.sample_count, wish.output, watch)
    notes = list(make_plan(handler, listing).warnings)
    if not elapsed_s:
        notes.append("no example came of the samples that were tried")
    return Trial(
        handler=name_of(handler_class),
        description=description_of(handler_class),
        sheet=str(wish.output),
        samples=sample_count,
        splits={split: len(samples) for split, samples in listing.items()},
        shown=shown,
        examples=len(elapsed_s),
        features=signatures.merged(),
        listing_s=listing_s,
        example_s=statistics.median(elapsed_s) if elapsed_s else 0.0,
        skipped=skipped,
        notes=notes,
    )


def _records(handler_class: Type[Any], wish: Wish, raw: Mapping[str, str]) -> Trial:

    make_handler(handler_class, wish.config, raw)
    if not wish.check:
        raise HandlerError(
            "a handler that overrides as_tfrecord() lists no samples to try; --check runs it whole, on a small folder"
        )
    note = "no contact sheet: as_tfrecord() is overridden, so there are no samples to show"
    return Trial(name_of(handler_class), description_of(handler_class), "", 0, {}, 0, 0, {}, 0.0, 0.0, notes=[note])


def _chosen(handlers: Mapping[str, Type[Any]], name: str) -> Type[Any]:
    names = ", ".join(sorted(handlers))
    if name and name not in handlers:
        raise BadConfig([("--handler", f"no handler {name!r} here; there are: {names}")])
    if not name and len(handlers) > 1:
        raise BadConfig([("--handler", f"is needed to choose one of: {names}")])
    return handlers[name] if name else next(iter(handlers.values()))


def _by_role(raw: Mapping[str, str], handler_class: Type[Any]) -> Dict[str, str]:
    roles = roles_of(handler_class)
    named: Dict[str, str] = {}
    for role, folder in raw.items():
        place: Optional[str] = role or (roles[0] if len(roles) == 1 else None)
        if place not in roles:
            wrong = f"the handler has no role {role!r}" if role else f"the handler has {len(roles)} roles"
            would_do = " ".join(f"--raw {each}=DIR" for each in roles) or "no --raw"
            raise BadConfig([("--raw", f"{wrong}; {would_do} would do")])
        named[place] = folder
    missing = [role for role in roles if role not in named]
    if missing:
        raise BadConfig([("--raw", f"--raw {role}=DIR is missing: a folder for the role {role!r}") for role in missing])
    return named
