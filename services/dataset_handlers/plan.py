"""Plans a dataset's shards: the same samples give the same plan, whoever lists them and however many workers there are.

Samples of a split are ordered by a hash of their id with the split as salt, so that a shard is a fair mixture and the
order of the listing has no say. The number of shards follows from the number of examples alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence

from dataset_handlers.errors import HandlerError
from dataset_handlers.randomness import digest_integer
from dataset_handlers.sample import Sample
from dataset_handlers.splits import SPLIT_NAME, split_of

Listing = Mapping[str, Sequence[Sample]]
"""The samples of each split, in the plan's order."""


@dataclass(frozen=True)
class Shard:
    """One file of one split: the samples ``start:stop`` in the plan's order."""

    split: str
    index: int
    start: int
    stop: int
    examples: int
    """How many examples are expected; 0: unknown."""
    digest: str
    """Over the ids of its samples: tells whether another process lists the same ones."""

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.split}-{self.index:05}.tfrecord"


class Plan(NamedTuple):
    """All shards of a dataset, and how many bad raw records it may have."""

    shards: List[Shard]
    sample_count: int
    example_count: int
    max_bad: int
    warnings: List[str]

    def to_json(self) -> Dict[str, Any]:
        """Returns the plan as plain data."""
        shards = [asdict(shard) for shard in self.shards]
        return {**self._asdict(), "kind": "shards", "shards": shards}


def order_samples(samples: Iterable[Sample], shares: Mapping[str, float]) -> Dict[str, List[Sample]]:
    """Returns the samples of each split in the plan's order; raises ``HandlerError`` for an id or photo used twice."""
    by_split: Dict[str, List[Sample]] = {}
    ids = set()
    split_of_photo: Dict[str, str] = {}
    for sample in samples:
        if not isinstance(sample, Sample) or not isinstance(sample.id, str) or not sample.id:
            raise HandlerError(f"samples() yielded {sample!r}; a Sample with a text as id would do")
        if sample.id in ids:
            raise HandlerError(f"samples() yielded the id {sample.id!r} twice; each sample needs its own")
        ids.add(sample.id)
        split = sample.split or split_of(sample.split_key, shares)
        if not SPLIT_NAME.match(split):
            raise HandlerError(f"sample {sample.id!r} names the split {split!r}; lower-case letters would do")
        other = split_of_photo.setdefault(sample.photo, split)
        if other != split:
            raise HandlerError(
                f"photo {sample.photo!r} is in the splits {other!r} and {split!r}; give its samples one split or group"
            )
        by_split.setdefault(split, []).append(sample)
    for split, members in by_split.items():
        members.sort(key=lambda sample: (digest_integer("order", split, sample.id), sample.id))
    return dict(sorted(by_split.items()))


def plan_shards(listing: Listing, *, examples_per_sample: Optional[int], examples_per_shard: int) -> List[Shard]:
    """Cuts each split into shards of about equal size."""
    shards = []
    total = sum(map(len, listing.values())) * (examples_per_sample or 1)
    # Each shard costs a file, a row and two waits for the disk: a small split of a large dataset needs few.
    smallest = max(16, total // 16)
    for split, samples in listing.items():
        count = shard_count(len(samples), examples_per_sample or 1, examples_per_shard, smallest)
        for index in range(count):
            start, stop = len(samples) * index // count, len(samples) * (index + 1) // count
            examples = (stop - start) * (examples_per_sample or 0)
            shards.append(Shard(split, index, start, stop, examples, samples_digest(samples[start:stop])))
    return shards


def shard_count(sample_count: int, examples_per_sample: int, examples_per_shard: int, smallest: int) -> int:
    """Returns how many shards a split gets: none over ``examples_per_shard``, and up to 8 of at least ``smallest``."""
    examples = sample_count * examples_per_sample
    wanted = max(-(-examples // examples_per_shard), min(8, examples // smallest))
    return max(1, min(wanted, sample_count))


def samples_digest(samples: Sequence[Sample]) -> str:
    """Returns 16 hex digits over the ids of ``samples`` in their order."""
    text = "\0".join(sample.id for sample in samples)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def max_bad_records(sample_count: int, max_bad_fraction: float) -> int:
    """Returns how many bad raw records a dataset may skip: at least one, unless the fraction is 0."""
    return max(1, int(max_bad_fraction * sample_count)) if max_bad_fraction > 0 else 0
