"""The id under which the logs of all services know what one client does."""

from __future__ import annotations

import os
import re
import uuid

HEADER = "x-request-id"
_FITTING = re.compile(r"[A-Za-z0-9._-]{1,64}")


def new_request_id() -> str:
    """Return ``DARKROOM_REQUEST_ID`` if it is set and fits (64 letters, digits, ``.``, ``_``, ``-``), else a new id."""
    chosen = os.environ.get("DARKROOM_REQUEST_ID", "")
    return chosen if _FITTING.fullmatch(chosen) else uuid.uuid4().hex
