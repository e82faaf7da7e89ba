"""Randomness that depends on the sample alone, never on a worker or an order: one generator for each variation."""

from __future__ import annotations

import hashlib

import numpy as np


def sample_rng(seed: int, sample_id: str, variation: int) -> np.random.Generator:
    """Returns the generator of one variation of one sample: ``Philox(sha256(seed, sample id, variation))``."""
    return np.random.Generator(np.random.Philox(key=digest_integer(str(seed), sample_id, str(variation), bits=128)))


def digest_integer(*parts: str, bits: int = 64) -> int:
    """Returns a uniform integer below ``2**bits`` that follows from ``parts``."""
    # File names that are no UTF-8 arrive with surrogates; NUL separates because no file name holds it.
    text = "\0".join(parts).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(text).digest()[: bits // 8], "big")
