"""Lists a handler's samples in the plan's order, and plans its shards."""

from __future__ import annotations

from typing import Dict, List

from dataset_handlers.errors import RawMissing
from dataset_handlers.handler import DatasetHandler
from dataset_handlers.plan import Plan, max_bad_records, order_samples, plan_shards
from dataset_handlers.sample import Sample


def list_samples(handler: DatasetHandler) -> Dict[str, List[Sample]]:
    """Returns the samples of each split, ordered; raises ``RawMissing`` if there are none."""
    listing = order_samples(handler.samples(), handler.splits)
    if not listing:
        folders = ", ".join(f"{path} (role {role!r})" for role, path in handler.raw_data_paths.items())
        raise RawMissing(f"nothing that the handler can use lies below {folders}")
    return listing


def make_plan(handler: DatasetHandler, listing: Dict[str, List[Sample]]) -> Plan:
    """Returns the plan; it depends on the samples and the config alone."""
    sample_count = sum(map(len, listing.values()))
    per_sample = handler.examples_per_sample
    per_call = per_sample * handler.variations_per_sample if per_sample else None
    shards = plan_shards(
        listing,
        # Of a handler whose yield varies only the variations are known; they still size the shards.
        examples_per_sample=per_call,
        examples_per_shard=max(1, handler.examples_per_shard // (1 if per_call else handler.variations_per_sample)),
    )
    warnings = [
        f"the split {split!r} is empty: none of {sample_count} samples fell into its share of {share:.3g}"
        for split, share in handler.splits.items()
        if split not in listing and not _prescribed(listing)
    ]
    warnings += handler.planning_warnings()
    return Plan(
        shards=shards,
        sample_count=sample_count,
        example_count=sample_count * (per_call or 0),
        max_bad=max_bad_records(sample_count, handler.max_bad_fraction),
        warnings=warnings,
    )


def _prescribed(listing: Dict[str, List[Sample]]) -> bool:
    return all(sample.split for samples in listing.values() for sample in samples)
