"""Which split a photo belongs to: it follows from a hash of its name, so no photo is ever in two splits.

Neither the seed nor any option but ``splits`` has a say: a photo stays in its split in every dataset made from it.
"""

from __future__ import annotations

import re
from typing import Dict, Mapping

from dataset_handlers.errors import BadConfig
from dataset_handlers.randomness import digest_integer

SPLIT_NAME = re.compile(r"^[a-z][a-z0-9_]{0,31}$")
DEFAULT_SPLITS = {"train": 0.8, "validation": 0.1, "test": 0.1}


def normalise_splits(shares: Mapping[str, float], field: str = "config.splits") -> Dict[str, float]:
    """Returns the splits with a share above 0, scaled to a sum of 1; raises ``BadConfig`` naming a wrong one."""
    violations = [
        (f"{field}.{name}", "is no name for a split; lower-case letters, digits and _ would do, at most 32")
        for name in shares
        if not SPLIT_NAME.match(name)
    ]
    violations += [(f"{field}.{name}", f"{share} is below 0") for name, share in shares.items() if share < 0]
    total = float(sum(shares.values()))
    if not violations and total <= 0:
        violations.append((field, "no split has a share above 0"))
    if violations:
        raise BadConfig(violations)
    return {name: share / total for name, share in sorted(shares.items()) if share > 0}


def split_of(key: str, shares: Mapping[str, float]) -> str:
    """Returns the split that ``key`` (a source photo or a group) falls into; ``shares`` as `normalise_splits` gives."""
    point = digest_integer("split", key) / 2.0**64
    # Sorted, because a config travels as canonical JSON, which forgets the order of keys.
    names = sorted(shares)
    for name in names:
        point -= shares[name]
        if point < 0:
            return name
    return names[-1]
