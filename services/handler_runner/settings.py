"""The runner's settings, one environment variable each."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from handler_runner.environment_installed import STOCK
from handler_runner.environment_limits import KeptLimits
from handler_runner.raw_root import NAME
from handler_runner.registry_channel import RegistryChannelSettings
from handler_runner.sandbox_settings import SandboxSettings
from service_kit.metrics import MetricsSettings
from service_kit.object_store_settings import ObjectStoreSettings
from service_kit.repository_settings import RepositoriesSettings

_KEPT = KeptLimits()


class RunnerSettings(
    BaseSettings, ObjectStoreSettings, RepositoriesSettings, RegistryChannelSettings, SandboxSettings, MetricsSettings
):
    """Read once at start from ``DARKROOM_RUNNER_...``."""

    model_config = SettingsConfigDict(env_prefix="DARKROOM_RUNNER_", frozen=True, extra="ignore")

    registry: Annotated[
        str,
        Field(
            min_length=1, description="Address of the registry, HOST:PORT; of several on one catalogue, with commas."
        ),
    ] = "localhost:50050"
    name: Annotated[
        str, Field(validate_default=True, description="Its name among the runners, kept over restarts.")
    ] = socket.gethostname()
    raw_root: Annotated[
        Path,
        Field(description="The folder whose folders are the raw datasets; one with photos is itself a raw dataset."),
    ]
    home: Annotated[
        Path,
        Field(description="Folder for scratch files and remembered hashes; made if it is missing, one runner's own."),
    ] = Path("darkroom-runner")
    listen: Annotated[
        str, Field(description="Address at which it answers about itself, HOST:PORT; port 0: any free one.")
    ] = "localhost:0"
    workers: Annotated[
        int, Field(ge=1, le=1024, description="Handler processes that build at a time; by default one for each core.")
    ] = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    local_repositories: Annotated[
        dict[str, Path],
        Field(description="Name to folder of your own trusted handlers, as JSON; they run in the runner's Python."),
    ] = {}
    pythons: Annotated[
        list[Path],
        Field(
            description="Interpreters for the handlers of git repositories, the preferred one first, as a JSON list of "
            "paths; empty: the runner's own."
        ),
    ] = []
    environments_kept: Annotated[
        int, Field(ge=1, description="Virtual environments that stay on the disk; the one used longest ago goes first.")
    ] = _KEPT.environments
    environments_bytes: Annotated[
        int, Field(ge=0, description="Bytes that they may have together; one that is in use always stays.")
    ] = _KEPT.environments_bytes
    mirrors_bytes: Annotated[
        int,
        Field(
            ge=0,
            description="Bytes that the mirrors of git repositories may have; the one fetched longest ago goes first.",
        ),
    ] = _KEPT.mirrors_bytes
    sources_bytes: Annotated[
        int,
        Field(ge=0, description="Bytes that checked out sources may have, and as many for wheels built from source."),
    ] = _KEPT.sources_bytes
    uv_cache_bytes: Annotated[
        int,
        Field(
            ge=0,
            description="Bytes that unpacked packages may have in uv's cache; looked at when an environment is made.",
        ),
    ] = _KEPT.uv_cache_bytes
    stuck_after_s: Annotated[
        float, Field(gt=0, description="How long a handler may show no progress before it is stopped.")
    ] = 600.0
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="What is logged.")] = "INFO"

    @property
    def kept_limits(self) -> KeptLimits:
        """What of environments may stay on the disk."""
        return KeptLimits(
            environments=self.environments_kept,
            environments_bytes=self.environments_bytes,
            mirrors_bytes=self.mirrors_bytes,
            sources_bytes=self.sources_bytes,
            uv_cache_bytes=self.uv_cache_bytes,
        )

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if not NAME.fullmatch(value):
            raise ValueError("must have letters, digits and . _ - and begin with a letter or digit, 128 at most")
        return value

    @field_validator("local_repositories")
    @classmethod
    def _have_folders(cls, value: dict[str, Path]) -> dict[str, Path]:
        for name, folder in value.items():
            if not NAME.fullmatch(name) or name == STOCK:
                raise ValueError(
                    f"{name!r} is no name for a repository: letters, digits and . _ - would do, not `{STOCK}`"
                )
            if not folder.is_dir():
                raise ValueError(f"{folder} is no folder; name one that holds the handlers of {name!r}")
        return value

    @field_validator("raw_root")
    @classmethod
    def _is_a_folder(cls, value: Path) -> Path:
        if not value.is_dir():
            raise ValueError("is no folder; name the one in which the raw datasets lie")
        return value

    @model_validator(mode="after")
    def _name_each_repository_once(self) -> RunnerSettings:
        if twice := sorted(set(self.repositories) & set(self.local_repositories)):
            raise ValueError(
                f"DARKROOM_RUNNER_REPOSITORIES and DARKROOM_RUNNER_LOCAL_REPOSITORIES both name {', '.join(twice)}; "
                "another name for one of them would do"
            )
        return self
