"""Finds out what the records of somebody else's TFRecord files hold, from every record, not from the first few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dataset_handlers.errors import HandlerError
from dataset_handlers.example import BadExample, example_signatures
from dataset_handlers.features import Signature, merge_features, merge_signatures
from dataset_handlers.tfrecord import read_records

Features = Mapping[str, Any]

# Pictures of many sizes: more different ones than this are merged on the way.
_DISTINCT = 256


def features_of(path: Path) -> dict[str, Any]:
    """Return the features that fit every record of a checked file; none if a record is no ``tf.train.Example``.

    One that only some records hold is of varying length: where it is missing it is empty.
    """
    seen: dict[str, set[Signature]] = {}
    held: Counter[str] = Counter()
    merged: dict[str, Any] = {}
    records = 0
    try:
        for record in read_records(path):
            records += 1
            for name, signature in example_signatures(record).items():
                held[name] += 1
                distinct = seen.setdefault(name, set())
                distinct.add(signature)
                if len(distinct) > _DISTINCT:
                    merged[name] = _together(name, distinct, merged.get(name))
                    distinct.clear()
        found = {name: _together(name, seen[name], merged.get(name)) for name in sorted(seen)}
    except (BadExample, HandlerError):
        return {}
    return {name: feature if held[name] == records else _optional(feature) for name, feature in found.items()}


def join_features(parts: Iterable[tuple[int, Features]]) -> dict[str, Any]:
    """Return the features of all files together, each given with its number of records; an empty file has no say.

    None where a file holds something else than the others, or no examples at all.
    """
    known = [features for records, features in parts if records]
    if not known or not all(known):
        return {}
    joined: dict[str, Any] = {}
    try:
        for name in sorted(set().union(*known)):
            having = [{name: features[name]} for features in known if name in features]
            for each in having:
                joined[name] = merge_features({name: joined[name]}, each)[name] if name in joined else each[name]
            if len(having) < len(known):
                joined[name] = _optional(joined[name])
    except HandlerError:
        return {}
    return joined


def _together(name: str, distinct: set[Signature], before: Any) -> Any:
    # Sorted, or sides that are None in one and a number in another could not be told to come out the same each time.
    now = merge_signatures(name, sorted(distinct, key=repr)) if distinct else None
    if before is None or now is None:
        return before or now
    return merge_features({name: before}, {name: now})[name]


def _optional(feature: Mapping[str, Any]) -> dict[str, Any]:
    return {**feature, "shape": [None]}
