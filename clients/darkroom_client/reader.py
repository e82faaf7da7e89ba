"""Reads a split's examples in a settled order: whole or one worker's share, shuffled by a seed or as stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from darkroom_client.dataset import SHUFFLE_BUFFER, Dataset
from darkroom_client.errors import InvalidArgument
from darkroom_client.example import decode_example
from darkroom_client.manifest import Feature, Shard
from darkroom_client.tfrecord import read_records

Example = dict[str, Any]


def iterate(
    dataset: Dataset,
    split: str,
    *,
    worker: int = 0,
    workers: int = 1,
    shuffle_seed: int | None = None,
    shuffle_buffer: int = SHUFFLE_BUFFER,
    decode: bool = True,
) -> Iterator[Example]:
    """Yield the share of ``worker`` (from 0) among ``workers``: every example falls to one of them, evenly.

    With ``shuffle_seed`` the shards come in an order drawn from it and examples are drawn from a buffer of
    ``shuffle_buffer``: the same seed gives the same order, whatever runs beside. Seed + epoch gives each epoch its own.
    """
    if not 0 <= worker < workers:
        raise InvalidArgument(f"worker {worker} of {workers}: workers count from 0")
    shards = dataset.shards(split)
    if shuffle_seed is not None:
        shards = [shards[i] for i in np.random.Generator(np.random.Philox(shuffle_seed)).permutation(len(shards))]
    records = _share(dataset.path, shards, worker, workers)
    if shuffle_seed is not None:
        records = _shuffled(records, np.random.Generator(np.random.Philox([shuffle_seed, worker])), shuffle_buffer)
    features = dataset.features
    for record in records:
        yield decode_example(record, features, decode)


def batches(examples: Iterator[Example], features: dict[str, Feature], batch_size: int) -> Iterator[Example]:
    """Yield batches: features of one shape stacked, others as lists; the last batch may be smaller."""
    batch: list[Example] = []
    for example in examples:
        batch.append(example)
        if len(batch) == batch_size:
            yield _stacked(batch, features)
            batch = []
    if batch:
        yield _stacked(batch, features)


def _share(folder: Path, shards: Sequence[Shard], worker: int, workers: int) -> Iterator[memoryview]:
    """Yield a contiguous run of the records, so that each worker reads its files from front to back."""
    total = sum(shard.records for shard in shards)
    first, last = total * worker // workers, total * (worker + 1) // workers
    begin = 0
    for shard in shards:
        start, stop = max(first - begin, 0), min(last - begin, shard.records)
        if start < stop:
            yield from read_records(folder / shard.name, start, stop)
        begin += shard.records


def _shuffled(records: Iterator[memoryview], random: np.random.Generator, buffer_size: int) -> Iterator[memoryview]:
    buffer: list[memoryview] = []
    for record in records:
        if len(buffer) < buffer_size:
            buffer.append(record)
            continue
        at = int(random.integers(len(buffer)))
        yield buffer[at]
        buffer[at] = record
    for at in random.permutation(len(buffer)):
        yield buffer[at]


def _stacked(batch: Sequence[Example], features: dict[str, Feature]) -> Example:
    stacked: Example = {}
    for name, feature in features.items():
        values = [example[name] for example in batch]
        stacks = feature.is_static and not isinstance(values[0], bytes | str | list)
        stacked[name] = np.stack(values) if stacks else values
    return stacked
