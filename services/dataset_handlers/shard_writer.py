"""Writes one shard: each of its samples, each variation, in the plan's order, one record for each example."""

from __future__ import annotations

import contextlib
import os
import time
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Sequence, Set, Union

from dataset_handlers.errors import BadConfig, BadRawRecord, HandlerError, RawMissing
from dataset_handlers.example import encode_features
from dataset_handlers.failures import is_transient
from dataset_handlers.features import Signature, feature_of, merge_signatures
from dataset_handlers.handler import DatasetHandler
from dataset_handlers.randomness import sample_rng
from dataset_handlers.sample import Sample
from dataset_handlers.tfrecord import write_record

PROGRESS_INTERVAL_S = 0.25


class Skipped(NamedTuple):
    """A source file that could not be read (relative to its raw folder), and why."""

    path: str
    reason: str


class ShardResult(NamedTuple):
    """What a shard holds."""

    examples: int
    features: Dict[str, Any]
    skipped: List[Skipped]


def write_shard(
    handler: DatasetHandler,
    samples: Sequence[Sample],
    output: Union[str, Path],
    progress: Callable[[int], None] = lambda examples: None,
) -> ShardResult:
    """Writes the examples of ``samples`` to ``output``, the same bytes each time.

    A sample whose source cannot be read is skipped whole, and listed. ``progress`` is told the number of examples
    written, at most four times a second. Raises ``HandlerError`` naming the sample.
    """
    try:
        return _write(handler, samples, output, progress)
    except BaseException:
        # What is left of it may be what fills the disk. A fork of the handler's comes here, too, and may be faster.
        with contextlib.suppress(OSError):
            if os.path.isfile(output):
                os.unlink(output)
        raise


def _write(
    handler: DatasetHandler, samples: Sequence[Sample], output: Union[str, Path], progress: Callable[[int], None]
) -> ShardResult:
    count = 0
    signatures = Signatures()
    skipped: List[Skipped] = []
    next_report = time.monotonic() + PROGRESS_INTERVAL_S
    with open(output, "wb", buffering=1 << 20) as file:
        for sample in samples:
            try:
                # Held back until the last variation: a sample is written whole or not at all.
                records = [signatures.encode(example, sample) for example in sample_examples(handler, sample)]
            except BadRawRecord as error:
                skipped.append(Skipped(_relative(handler, error.path), error.reason))
                continue
            for record in records:
                write_record(file, record)
            count += len(records)
            if time.monotonic() >= next_report:
                progress(count)
                next_report = time.monotonic() + PROGRESS_INTERVAL_S
    return ShardResult(count, signatures.merged(), skipped)


def sample_examples(handler: DatasetHandler, sample: Sample) -> Iterator[Mapping[str, Any]]:
    """Yields the examples of every variation of a sample, reduced to the chosen ``input_attributes``."""
    wanted = getattr(handler, "input_attributes", None)
    seed, variations = handler.seed, handler.variations_per_sample
    try:
        for variation in range(variations):
            made = handler.examples(sample, sample_rng(seed, sample.id, variation))
            if isinstance(made, Mapping) or not isinstance(made, Iterable):
                raise HandlerError(f"examples() returned {type(made).__name__}; to `yield` a dict of features would do")
            for example in made:
                if not isinstance(example, Mapping):
                    raise HandlerError(f"examples() yielded {type(example).__name__}; a dict of features would do")
                if wanted is None:
                    yield example
                    continue
                missing = [name for name in wanted if name not in example]
                if missing:
                    raise HandlerError(f"examples() yielded no {', '.join(missing)}, which input_attributes asks for")
                yield {name: example[name] for name in wanted}
    except (BadRawRecord, BadConfig, RawMissing, MemoryError):
        raise
    except Exception as error:
        if is_transient(error):
            raise
        reason = (
            str(error)
            if isinstance(error, HandlerError)
            else "".join(traceback.format_exception_only(type(error), error)).strip()
        )
        raise HandlerError(f"examples() of sample {sample.id!r}: {reason}") from error


def _relative(handler: DatasetHandler, path: str) -> str:
    # It goes into the manifest, which is the same wherever the raw data lies.
    for folder in handler.raw_data_paths.values():
        inside = os.path.join(str(folder), "")
        if path.startswith(inside):
            return path[len(inside) :].replace(os.sep, "/")
    return path


class Signatures:
    """Encodes examples, and gathers what each feature was over all of them."""

    def __init__(self) -> None:
        self._seen: Dict[str, Set[Signature]] = {}
        self._names: Sequence[str] = ()

    def encode(self, example: Mapping[str, Any], sample: Sample) -> bytes:
        """Returns the record; raises ``HandlerError`` naming the sample and the feature."""
        features = {}
        for name, value in example.items():
            try:
                features[name] = feature_of(value)
            except (TypeError, ValueError) as error:
                raise HandlerError(f"feature {name!r} of sample {sample.id!r}: {error}") from error
        if not self._seen:
            self._seen = {name: set() for name in features}
        elif self._seen.keys() != features.keys():
            lone = ", ".join(repr(name) for name in sorted(self._seen.keys() ^ features.keys()))
            raise HandlerError(f"sample {sample.id!r}: every example must hold the same features; not so {lone}")
        for name, feature in features.items():
            self._seen[name].add(feature.signature)
        return encode_features(features)

    def merged(self) -> Dict[str, Any]:
        """Returns the entry of each feature in the manifest."""
        return {name: merge_signatures(name, sorted(self._seen[name], key=repr)) for name in sorted(self._seen)}
