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
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple, Type, Union

import numpy as np

from dataset_handlers.describe import describe_handler
from dataset_handlers.errors import BadConfig, BadRawRecord
from dataset_handlers.example import decode_example, encode_example
from dataset_handlers.features import merge_features
from dataset_handlers.handler_class import is_handler, make_handler, name_of, style_of
from dataset_handlers.handler_fault import HandlerFault, require
from dataset_handlers.made_photos import make_photos
from dataset_handlers.network_watch import REMEDY, hosts_reached
from dataset_handlers.plan import Plan
from dataset_handlers.planning import list_samples, make_plan
from dataset_handlers.raw_folder_check import check_corrupt_photo, file_stats, folders_by_role
from dataset_handlers.records import run_as_tfrecord
from dataset_handlers.sample import Sample
from dataset_handlers.shard_writer import sample_examples, write_shard
from dataset_handlers.tfrecord import count_records, read_records

__all__ = ["HandlerFault", "HandlerReport", "check_handler", "make_photos"]

MAX_SAMPLES = 64
"""So many samples are built; more would say nothing new."""


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
    plan, that examples and shards come out the same each time, that the records read back, that a corrupt photo is
    skipped and listed, and that the handler reaches no network and writes into no raw folder.
    """
    require(
        is_handler(handler_class),
        f"{handler_class!r} is no handler: samples() and examples(), or config_options() and as_tfrecord(), would do",
    )
    folders = folders_by_role(handler_class, raw)
    before = file_stats(folders)
    with hosts_reached() as hosts:
        report = _checked(handler_class, config, folders)
    require(not hosts, f"the handler reached {', '.join(hosts)}: a build has no network; {REMEDY}")
    changed = sorted(set(before.items()) ^ set(file_stats(folders).items()))
    require(
        not changed,
        f"the handler writes into its raw folders, which a build may only read: {changed[0][0] if changed else ''}; "
        "a temporary folder would do",
    )
    return report


def _checked(handler_class: Type[Any], config: Mapping[str, Any], folders: Mapping[str, str]) -> HandlerReport:
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
    notes = check_corrupt_photo(handler_class, config, folders, chosen)
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


def _check_class(handler_class: Type[Any], config: Mapping[str, Any], folders: Mapping[str, str]) -> None:
    description = describe_handler(handler_class)
    require(json.loads(json.dumps(description)) == description, "the description changes on its way through JSON")
    try:
        make_handler(handler_class, config, folders)
    except BadConfig as error:
        raise HandlerFault(f"the config is refused: {error}") from error
    with contextlib.suppress(BadConfig):
        make_handler(handler_class, {**config, "no_such_option_": 1}, folders)
        raise HandlerFault("an unknown option is accepted")


def _check_listing(handler: Any, other: Any) -> Dict[str, List[Sample]]:
    samples = handler.samples()
    require(
        isinstance(samples, Iterable),
        f"samples() returned {type(samples).__name__}; `return photo_samples(self.raw_data_path)`, a list of Sample, "
        "or `yield` would do",
    )
    listed = list(samples)
    strangers = [sample for sample in listed if not isinstance(sample, Sample)]
    require(not strangers, f"samples() lists {strangers[0] if strangers else None!r}; Sample(PATH_OF_PHOTO) would do")
    require(
        bool(listed),
        f"samples() lists nothing below {', '.join(map(str, handler.raw_data_paths.values()))}; are its files there? "
        "make_photos(folder) makes photos for a test",
    )
    require(listed == list(other.samples()), "samples() lists something else the second time; sort it")
    ids = [sample.id for sample in listed]
    require(ids == sorted(ids), "samples() is not sorted by id; a listing must not depend on the file system")
    # Raises for an id used twice and for a photo in two splits.
    return list_samples(handler)


def _check_plan(plan: Plan, listing: Mapping[str, Sequence[Sample]]) -> None:
    for split, samples in listing.items():
        covered = [place for shard in plan.shards if shard.split == split for place in range(shard.start, shard.stop)]
        require(covered == list(range(len(samples))), f"the plan does not cover each sample of {split!r} once")


def _check_examples(handler: Any, other: Any, samples: Sequence[Sample]) -> None:
    # Global generators in another state, and another order: neither may have a say.
    first = {sample.id: _encoded(handler, sample, 1) for sample in samples}
    second = {sample.id: _encoded(other, sample, 2) for sample in reversed(samples)}
    for sample in samples:
        require(
            first[sample.id] == second[sample.id],
            f"examples() of sample {sample.id!r} differ the second time{_where(first[sample.id], second[sample.id])}; "
            "rng must be the only source of randomness, and nothing may be kept from one example for the next",
        )


def _where(first: Any, second: Any) -> str:
    """Returns which features differ, in words."""
    if isinstance(first, str) or isinstance(second, str):
        return " (once the photo is bad, once it is not)"
    if len(first) != len(second):
        return f" ({len(first)} examples, then {len(second)})"
    names = {
        name
        for one, other in zip(first, second)
        for name in one.keys() | other.keys()
        if one.get(name) != other.get(name)
    }
    return f" in {', '.join(sorted(names))}"


def _encoded(handler: Any, sample: Sample, state: int) -> Any:
    """Returns each feature's bytes of each example; or why the sample cannot be read."""
    random.seed(state)
    np.random.seed(state)
    try:
        return [
            {name: _bytes_of(name, value, sample) for name, value in example.items()}
            for example in sample_examples(handler, sample)
        ]
    except BadRawRecord as error:
        return error.reason


def _bytes_of(name: str, value: Any, sample: Sample) -> bytes:
    try:
        return encode_example({name: value})
    except (TypeError, ValueError) as error:
        raise HandlerFault(f"feature {name!r} of sample {sample.id!r}: {error}") from error


def _check_shard(
    handler: Any, other: Any, samples: Sequence[Sample], max_bad: int
) -> Tuple[int, Dict[str, Any], List[str]]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("first.tfrecord", "second.tfrecord")]
        results = [write_shard(handler, samples, paths[0]), write_shard(other, samples, paths[1])]
        require(paths[0].read_bytes() == paths[1].read_bytes(), "a shard built twice has other bytes")
        result = results[0]
        require(result.features == merge_features(result.features, results[1].features), "the features differ")
        require(result.examples > 0, "no sample gave an example")
        require(count_records(paths[0]) == result.examples, "a shard holds another number of records")
        for record in read_records(paths[0]):
            require(sorted(decode_example(record)) == sorted(result.features), "a record holds other features")
    skipped = [f"{skip.path}: {skip.reason}" for skip in result.skipped]
    require(len(skipped) <= max_bad, f"{len(skipped)} raw records are bad, {max_bad} are allowed: {skipped[:5]}")
    return result.examples, result.features, skipped


def _check_records(handler_class: Type[Any], config: Mapping[str, Any], folders: Mapping[str, str]) -> HandlerReport:
    with tempfile.TemporaryDirectory() as folder:
        # Raises for a file that is missing or broken.
        result = run_as_tfrecord(make_handler(handler_class, config, folders), folder)
    splits: Dict[str, int] = {}
    for file in result["files"]:
        splits[file["split"]] = splits.get(file["split"], 0) + file["records"]
    records = sum(splits.values())
    require(records > 0, "as_tfrecord() wrote no record")
    notes = ["determinism: a handler that writes its own files answers for it itself"]
    if not result["features"]:
        notes.append("features: the records are no tf.train.Example")
    return HandlerReport(name_of(handler_class), "records", 0, splits, records, result["features"], [], notes)
