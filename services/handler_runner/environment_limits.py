"""How much of what environments are made from may stay on the disk; what was used longest ago goes first."""

from __future__ import annotations

from dataclasses import dataclass

_GB = 10**9


@dataclass(frozen=True)
class KeptLimits:
    """Bytes of each kind, and how many virtual environments; what is in use always stays."""

    environments: int = 20
    environments_bytes: int = 20 * _GB
    mirrors_bytes: int = 10 * _GB
    sources_bytes: int = 10 * _GB
    uv_cache_bytes: int = 20 * _GB
