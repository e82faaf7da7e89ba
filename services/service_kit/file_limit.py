"""How many files a process may open, connections among them."""

from __future__ import annotations

import resource

# For the catalogue, the store, logs and children: connections may not take these.
OTHER_FILES = 256
# More would serve nobody, and programs that look at every number up to the limit would take long.
ENOUGH_FILES = 65_536


def raise_file_limit() -> int:
    """Let this process open as many files as it is allowed to ask for, or enough; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return file_limit()


def file_limit() -> int:
    """Return how many files this process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return ENOUGH_FILES if soft == resource.RLIM_INFINITY else soft


def room_for_connections() -> int:
    """Return how many of them may be connections."""
    limit = file_limit()
    return max(limit - OTHER_FILES, limit // 2)
