"""Locks are kept once, by digest; rows name them, and a runner gets the text with the work."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dataset_registry.catalog import Transaction
from dataset_registry.records import Lock, Work
from service_kit.errors import InvalidArgument

_REFERENCE = "lock_digest"


def keep_lock(tx: Transaction, description: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the lock in an environment's description; returns the description without its text.

    Raises `InvalidArgument` when the text is not what its digest says.
    """
    text = description.get("lock") or ""
    if text:
        digest = hashlib.sha256(text.encode()).hexdigest()
        if digest != description.get(_REFERENCE):
            told = f"the lock's digest is {digest}, not {description.get(_REFERENCE)!r}"
            raise InvalidArgument.of([("environment.description_json", told)])
        if tx.get(Lock, digest) is None:
            tx.put(Lock(id=digest, text=text))
    return {name: value for name, value in description.items() if name != "lock"}


def lock_reference(tx: Transaction, lock_digest: str) -> dict[str, str]:
    """Return what a task's row says of its lock: nothing where none is kept, as for what is installed already."""
    return {_REFERENCE: lock_digest} if lock_digest and tx.get(Lock, lock_digest) else {}


def with_locks(tx: Transaction, work: Work) -> Work:
    """Return claimed work as its runner gets it: each environment with its lock's text."""
    return replace(work, task=_filled(tx, work.task))


def _filled(tx: Transaction, task: Mapping[str, Any]) -> dict[str, Any]:
    filled: dict[str, Any] = {
        name: _filled(tx, value) if isinstance(value, dict) else value for name, value in task.items()
    }
    digest = filled.pop(_REFERENCE, "")
    lock = tx.get(Lock, digest) if digest else None
    return {**filled, "lock": lock.text} if lock else filled
