"""Says why a forked process cannot ask a registry, where gRPC itself would hang without a word."""

from __future__ import annotations

import os

_process_ids: list[int] = []


def check_process() -> None:
    """Raise `RuntimeError` in a process that was forked from one that had opened a client."""
    if not _process_ids:
        _process_ids.append(os.getpid())
    if _process_ids[0] != os.getpid():
        raise RuntimeError(
            "a client was opened before this process was forked, and gRPC does not survive that: open clients only "
            "after the fork, or start processes by spawn; a Dataset may be read anywhere"
        )
