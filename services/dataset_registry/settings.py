"""The registry's settings, one environment variable each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from service_kit.metrics import MetricsSettings
from service_kit.object_store_settings import ObjectStoreSettings
from service_kit.repository_settings import RepositoriesSettings
from service_kit.security import SecuritySettings


class RegistrySettings(BaseSettings, ObjectStoreSettings, RepositoriesSettings, SecuritySettings, MetricsSettings):
    """Read once at start from ``DARKROOM_REGISTRY_...``."""

    model_config = SettingsConfigDict(env_prefix="DARKROOM_REGISTRY_", frozen=True, extra="ignore")

    listen: Annotated[str, Field(description="Address to answer at, HOST:PORT.")] = "localhost:50050"
    home: Annotated[Path, Field(description="Folder of the embedded catalogue; made if it is missing.")] = Path(
        "darkroom-registry"
    )
    database_url: Annotated[
        SecretStr | None,
        Field(
            description="The catalogue's database, `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, which "
            "`migrate` prepares; absent: SQLite in the home, prepared at start."
        ),
    ] = None
    lease_s: Annotated[
        float, Field(gt=0.1, le=3600, description="How long a runner's claim lasts without a heartbeat.")
    ] = 30.0
    cancel_grace_s: Annotated[
        float, Field(ge=0, description="How long a build goes on when nobody waits for it any more.")
    ] = 30.0
    raw_max_age_s: Annotated[
        float, Field(ge=0, description="How old a walk over a raw dataset may be and still answer a request.")
    ] = 10.0
    ref_max_age_s: Annotated[
        float, Field(ge=0, description="How old the tags and branches of a git repository may be and still answer.")
    ] = 10.0
    collect_every_s: Annotated[
        float, Field(gt=0, description="How often objects that no row names are looked for.")
    ] = 3600.0
    collect_min_age_s: Annotated[
        float, Field(ge=0, description="How old an object must be before the collector may remove it.")
    ] = 24 * 3600.0
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="What is logged.")] = "INFO"
