"""All that the test of a handler's author needs: one call that tries the handler as a build would, and harder.

::

    def test_my_handler_keeps_the_contract(tmp_path):
        make_photos(tmp_path)
        report = check_handler(MyHandler, {"image_size": [64, 64]}, tmp_path)
        assert report.splits["train"] > 0
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple, Type, Union

import numpy as np

from dataset_handlers.describe import describe_handler
from dataset_handlers.errors import BadConfig
from dataset_handlers.example import decode_example, encode_example
from dataset_handlers.features import merge_features
from dataset_handlers.handler_class import is_handler, make_handler, name_of, roles_of, style_of
from dataset_handlers.made_photos import make_photos
from dataset_handlers.plan import Plan
from dataset_handlers.planning import list_samples, make_plan
from dataset_handlers.records import run_as_tfrecord
from dataset_handlers.sample import Sample
from dataset_handlers.shard_writer import sample_examples, write_shard
from dataset_handlers.tfrecord import count_records, read_records

__all__ = ["HandlerFault", "HandlerReport", "check_handler", "make_photos"]

MAX_SAMPLES = 64
"""So many samples are built; more would say nothing new."""

_COPY_LIMIT_BYTES = 256 << 20


class HandlerFault(AssertionError):
    """The handler breaks its contract; the message says how and what would do."""


@dataclass(frozen=True)
class HandlerReport:
    """What a handler that keeps its contract made."""

    handler: str
    style: str
    samples: int
    splits: Dict[str, int]
    """Samples of each split; for a handler that writes its own files, records."""
    examples: int
    """Examples that were built for the check."""
    features: Dict[str, Any]
    skipped: List[str]
    notes: List[str] = field(default_factory=list)
    """What could not be checked, and why."""


def check_handler(
    handler_class: Type[Any],
    config: Mapping[str, Any],
    raw: Union[str, "os.PathLike[str]", Mapping[str, Union[str, "os.PathLike[str]"]]],
) -> HandlerReport:
    """Returns a report on the handler; raises `HandlerFault` for the first broken promise.

    ``raw`` is the raw folder, or one for each role; it is only read. Checks the options, the listing, the splits, the
    plan, that examples and shards come out the same each time, that the records read back, and that a corrupt photo
    is skipped and listed.
    """
    folders = _folders(handler_class, raw)
    _check_class(handler_class, config, folders)
    if style_of(handler_class) == "records":
        return _check_records(handler_class, config, folders)

    handler = make_handler(handler_class, config, folders)
    listing = _check_listing(handler, make_handler(handler_class, config, folders))
    plan = make_plan(handler, listing)
    _check_plan(plan, listing)
    chosen = [sample for samples in listing.values() for sample in samples[: -(-MAX_SAMPLES // len(listing))]]
    _check_examples(handler, make_handler(handler_class, config, folders), chosen)
    examples, features, skipped = _check_shard(
        handler, make_handler(handler_class, config, folders), chosen, plan.max_bad
    )
    notes = _check_corrupt_photo(handler_class, config, folders, chosen)
    return HandlerReport(
        handler=name_of(handler_class),
        style="samples",
        samples=plan.sample_count,
        splits={split: len(samples) for split, samples in listing.items()},
        examples=examples,
        features=features,
        skipped=skipped,
        notes=notes,
    )


def _require(holds: bool, fault: str) -> None:
    if not holds:
        raise HandlerFault(fault)


def _folders(handler_class: Type[Any], raw: Any) -> Dict[str, str]:
    if isinstance(raw, Mapping):
        return {role: os.fspath(folder) for role, folder in raw.items()}
    return {role: os.fspath(raw) for role in roles_of(handler_class)[:1]}


def _check_class(handler_class: Type[Any], config: Mapping[str, Any], folders: Mapping[str, str]) -> None:
    _require(
        is_handler(handler_class),
        f"{handler_class!r} is no handler: samples() and examples(), or config_options() and as_tfrecord(), would do",
    )
    description = describe_handler(handler_class)
    _require(json.loads(json.dumps(description)) == description, "the description changes on its way through JSON")
    try:
        make_handler(handler_class, config, folders)
    except BadConfig as error:
        raise HandlerFault(f"the config is refused: {error}") from error
    with contextlib.suppress(BadConfig):
        make_handler(handler_class, {**config, "no_such_option_": 1}, folders)
        raise HandlerFault("an unknown option is accepted")


def _check_listing(handler: Any, other: Any) -> Dict[str, List[Sample]]:
    listed = list(handler.samples())
    _require(listed == list(other.samples()), "samples() lists something else the second time; sort it")
    ids = [sample.id for sample in listed]
    _require(ids == sorted(ids), "samples() is not sorted by id; a listing must not depend on the file system")
    # Raises for an id used twice and for a photo in two splits.
    return list_samples(handler)


def _check_plan(plan: Plan, listing: Mapping[str, Sequence[Sample]]) -> None:
    for split, samples in listing.items():
        covered = [place for shard in plan.shards if shard.split == split for place in range(shard.start, shard.stop)]
        _require(covered == list(range(len(samples))), f"the plan does not cover each sample of {split!r} once")


def _check_examples(handler: Any, other: Any, samples: Sequence[Sample]) -> None:
    # Global generators in another state, and another order: neither may have a say.
    first = {sample.id: _encoded(handler, sample, 1) for sample in samples}
    second = {sample.id: _encoded(other, sample, 2) for sample in reversed(samples)}
    for sample in samples:
        _require(
            first[sample.id] == second[sample.id],
            f"examples() of sample {sample.id!r} differ the second time; rng must be the only source of randomness",
        )


def _encoded(handler: Any, sample: Sample, state: int) -> Any:
    from dataset_handlers.errors import BadRawRecord

    random.seed(state)
    np.random.seed(state)
    try:
        return [encode_example(example) for example in sample_examples(handler, sample)]
    except BadRawRecord as error:
        return error.reason


def _check_shard(
    handler: Any, other: Any, samples: Sequence[Sample], max_bad: int
) -> Tuple[int, Dict[str, Any], List[str]]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("first.tfrecord", "second.tfrecord")]
        results = [write_shard(handler, samples, paths[0]), write_shard(other, samples, paths[1])]
        _require(paths[0].read_bytes() == paths[1].read_bytes(), "a shard built twice has other bytes")
        result = results[0]
        _require(result.features == merge_features(result.features, results[1].features), "the features differ")
        _require(result.examples > 0, "no sample gave an example")
        _require(count_records(paths[0]) == result.examples, "a shard holds another number of records")
        for record in read_records(paths[0]):
            _require(sorted(decode_example(record)) == sorted(result.features), "a record holds other features")
    skipped = [f"{skip.path}: {skip.reason}" for skip in result.skipped]
    _require(len(skipped) <= max_bad, f"{len(skipped)} raw records are bad, {max_bad} are allowed: {skipped[:5]}")
    return result.examples, result.features, skipped


def _check_corrupt_photo(
    handler_class: Type[Any], config: Mapping[str, Any], folders: Mapping[str, str], samples: Sequence[Sample]
) -> List[str]:
    found = [
        (role, sample)
        for sample in samples
        for role, folder in folders.items()
        if os.path.isfile(os.path.join(folder, sample.photo))
    ]
    if not found:
        return ["a corrupt photo: no sample names its source file"]
    size_bytes = sum(path.stat().st_size for folder in folders.values() for path in Path(folder).rglob("*"))
    if size_bytes > _COPY_LIMIT_BYTES:
        return [f"a corrupt photo: {size_bytes} bytes of raw data are too many to copy; a smaller folder would do"]
    role, sample = found[0]
    with tempfile.TemporaryDirectory() as scratch:
        copies = {role: os.path.join(scratch, role) for role in folders}
        for name, folder in folders.items():
            shutil.copytree(folder, copies[name], symlinks=True)
        victim = Path(copies[role], sample.photo)
        whole = victim.read_bytes()
        victim.unlink()
        victim.write_bytes(whole[: len(whole) // 2])
        handler = make_handler(handler_class, config, copies)
        members = [member for listed in list_samples(handler).values() for member in listed]
        affected = [member for member in members if member.id == sample.id]
        result = write_shard(handler, affected, Path(scratch, "corrupt.tfrecord"))
    _require(
        not affected or [skip.path for skip in result.skipped] == [sample.photo],
        f"half of {sample.photo!r} was taken for a whole photo; read it with read_image(), or raise BadRawRecord",
    )
    return []


def _check_records(handler_class: Type[Any], config: Mapping[str, Any], folders: Mapping[str, str]) -> HandlerReport:
    with tempfile.TemporaryDirectory() as folder:
        # Raises for a file that is missing or broken.
        result = run_as_tfrecord(make_handler(handler_class, config, folders), folder)
    splits: Dict[str, int] = {}
    for file in result["files"]:
        splits[file["split"]] = splits.get(file["split"], 0) + file["records"]
    records = sum(splits.values())
    _require(records > 0, "as_tfrecord() wrote no record")
    notes = ["determinism: a handler that writes its own files answers for it itself"]
    if not result["features"]:
        notes.append("features: the records are no tf.train.Example")
    return HandlerReport(name_of(handler_class), "records", 0, splits, records, result["features"], [], notes)
