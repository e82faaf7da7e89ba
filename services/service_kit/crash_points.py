"""Names the moments at which a crash is worst; a test has a process die at one, as `kill -9` would have it.

``DARKROOM_CRASH_AT=shard_put`` kills the process the first time it gets there, ``shard_put:3`` the third time. Without
the variable, as in every deployment, nothing happens.
"""

from __future__ import annotations

import itertools
import os
import signal

VARIABLE = "DARKROOM_CRASH_AT"

# Where the order of two effects matters, in the order in which a request meets them; each is reached in one place.
REGISTRY_POINTS = (
    "request_written",
    "claim_written",
    "shard_row_written",
    "publishing",
    "published",
    "requests_not_told",
    "garbage_marked",
    "garbage_half_removed",
)
RUNNER_POINTS = (
    "work_claimed",
    "shard_built",
    "object_written",
    "object_renamed",
    "facts_put",
    "shard_put",
    "shard_committed",
    "unit_files_put",
    "unit_put",
    "shards_complete",
    "tail_put",
    "archive_composed",
    "result_known",
    "result_sent",
)

_NAME, _, _COUNT = os.environ.get(VARIABLE, "").partition(":")
_TIMES = itertools.count(1)


def reach(name: str) -> None:
    """Die here if the variable says so: at once, with nothing flushed, closed or cleaned up."""
    if name == _NAME and next(_TIMES) == int(_COUNT or 1):
        os.kill(os.getpid(), signal.SIGKILL)
