"""What the manifest needs of a shard beyond its bytes: kept beside it in the store, so that a later attempt has it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from handler_runner.failure import FailureClass, WorkFailed

Feature = Mapping[str, Any]
Features = Mapping[str, Feature]

_UNKNOWN = {"dtype": "bytes", "shape": [None]}


@dataclass(frozen=True)
class ShardFacts:
    """The features of its examples, and the raw files left out, each ``path: reason``."""

    features: Features = field(default_factory=dict)
    skipped: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Return it as JSON."""
        return json.dumps({"features": self.features, "skipped": self.skipped}, sort_keys=True).encode()

    @classmethod
    def of(cls, data: bytes) -> ShardFacts | None:
        """Return what was written, or None if the bytes are something else."""
        try:
            facts = json.loads(data)
            return cls(dict(facts["features"]), tuple(map(str, facts["skipped"])))
        except (ValueError, TypeError, KeyError):
            return None


def merge_features(parts: Iterable[Features]) -> dict[str, Any]:
    """Return the features of a dataset whose shards have these, whatever their order; an empty shard has no say.

    Sizes that differ become null. Raises `WorkFailed` (HANDLER_ERROR) where shards do not fit together.
    """
    known = [part for part in parts if part]
    if not known:
        return {}
    for part in known:
        if part.keys() != known[0].keys():
            lone = ", ".join(repr(name) for name in sorted(part.keys() ^ known[0].keys()))
            raise _unfit(f"only some examples hold {lone}; every example must hold the same features")
    return {name: _merged(name, [part[name] for part in known]) for name in sorted(known[0])}


def _merged(name: str, features: list[Feature]) -> dict[str, Any]:
    # A shard that saw nothing but empty lists cannot know of what kind they are.
    features = [feature for feature in features if dict(feature) != _UNKNOWN] or features
    for fixed in ("dtype", "raw_dtype"):
        kinds = sorted({str(feature[fixed]) for feature in features if fixed in feature})
        if len(kinds) > 1:
            raise _unfit(f"feature {name!r} is {kinds[0]} in one example and {kinds[1]} in another")
    merged: dict[str, Any] = {"dtype": features[0]["dtype"], "shape": _shape([each["shape"] for each in features])}
    encodings = {feature.get("encoding") for feature in features}
    if len(encodings) == 1 and None not in encodings:
        merged["encoding"] = encodings.pop()
        for inner in ("image_shape", "raw_shape"):
            shapes = [feature[inner] for feature in features if inner in feature]
            if len(shapes) == len(features):
                merged[inner] = _shape(shapes)
        if "raw_dtype" in features[0]:
            merged["raw_dtype"] = features[0]["raw_dtype"]
    return merged


def _shape(shapes: list[list[int | None]]) -> list[int | None]:
    if len({len(shape) for shape in shapes}) > 1:
        # One value here and a list there: a list of any length.
        return [None]
    return [sides[0] if len(set(sides)) == 1 else None for sides in zip(*shapes, strict=True)]


def _unfit(message: str) -> WorkFailed:
    return WorkFailed(FailureClass.HANDLER_ERROR, message)
