"""The inpainting service's settings, one environment variable each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from service_kit.metrics import MetricsSettings
from service_kit.object_store_settings import ObjectStoreSettings
from service_kit.security import SecuritySettings

MIB = 1 << 20


class InpaintingSettings(BaseSettings, ObjectStoreSettings, SecuritySettings, MetricsSettings):
    """Read once at start from ``DARKROOM_INPAINTING_...``."""

    model_config = SettingsConfigDict(env_prefix="DARKROOM_INPAINTING_", frozen=True, extra="ignore")

    listen: Annotated[str, Field(description="Address to answer at, HOST:PORT.")] = "localhost:50052"
    home: Annotated[Path, Field(description="Folder of kept photos, models and jobs; made if it is missing.")] = Path(
        "darkroom-inpainting"
    )
    concurrency: Annotated[int, Field(ge=1, le=256, description="Photos that are worked on at the same time.")] = 2
    max_waiting: Annotated[
        int, Field(ge=1, le=100_000, description="Photos that may wait for their turn; more are turned away.")
    ] = 128
    max_waiting_bytes: Annotated[
        int, Field(ge=MIB, description="Bytes of the photos that may wait for their turn.")
    ] = 1024 * MIB
    max_pixels: Annotated[
        int, Field(ge=1, description="Pixels that a photo may have; checked before it is decoded.")
    ] = 120_000_000
    max_photo_bytes: Annotated[int, Field(ge=1, description="Size that a photo's file may have.")] = 512 * MIB
    kept_bytes: Annotated[int, Field(ge=MIB, description="Room for kept photos; the longest unused go first.")] = (
        8192 * MIB
    )
    kept_age_s: Annotated[float, Field(gt=0, description="How long a kept photo stays after its last use.")] = 3600.0
    batch_images: Annotated[int, Field(ge=1, le=1024, description="Images that a network may be given at once.")] = 8
    max_model_bytes: Annotated[int, Field(ge=1, description="Size that an added model's file may have.")] = 2048 * MIB
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="What is logged.")] = "INFO"
