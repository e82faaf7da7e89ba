"""Which object store a service uses, and the one place that opens it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from service_kit.errors import InvalidArgument
from service_kit.object_store import ObjectStore
from service_kit.object_store_local import LocalObjectStore

_ENDPOINT = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


def _endpoint(url: str | None) -> str | None:
    if url is not None and not _ENDPOINT.fullmatch(url := url.rstrip("/")):
        raise ValueError("must be http://HOST:PORT or https://HOST:PORT without a path")
    return url


Endpoint = Annotated[str | None, AfterValidator(_endpoint)]


class ObjectStoreSettings(BaseModel):
    """A service's settings class inherits these fields; each one is an environment variable with its prefix."""

    model_config = ConfigDict(frozen=True)

    store: Annotated[
        Literal["local", "minio"], Field(description="`local`: a folder. `minio`: MinIO or another S3 store.")
    ] = "local"
    store_create: Annotated[
        bool, Field(description="Make the folder or bucket when it is missing; false: wait for it to appear.")
    ] = True
    store_dir: Annotated[
        Path | None, Field(description="For `local`: a folder for the objects alone; absent: `objects` in the home.")
    ] = None
    store_endpoint: Annotated[
        Endpoint, Field(validate_default=True, description="For `minio`: its URL as services reach it.")
    ] = None
    store_public_endpoint: Annotated[
        Endpoint, Field(description="For `minio`: its URL as clients reach it; absent: the same as store_endpoint.")
    ] = None
    store_region: Annotated[str, Field(min_length=1, description="For `minio`: the bucket's region.")] = "us-east-1"
    store_bucket: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
            description="For `minio`: the bucket; nothing else should be in it.",
        ),
    ] = "darkroom"
    store_access_key: Annotated[
        str | None, Field(validate_default=True, description="For `minio`: the access key's id.")
    ] = None
    store_secret_key: Annotated[SecretStr | None, Field(description="For `minio`: the secret key.")] = None
    store_secret_key_file: Annotated[
        Path | None,
        Field(validate_default=True, description="For `minio`: a file with the secret key, instead of the key itself."),
    ] = None
    store_ca_file: Annotated[
        Path | None, Field(description="For `minio` over https: certificates to trust, PEM; absent: the usual ones.")
    ] = None
    store_timeout_s: Annotated[
        float, Field(gt=0, le=600, description="For `minio`: how long it may be silent before a call is tried again.")
    ] = 20.0

    @field_validator("store_endpoint", "store_access_key")
    @classmethod
    def _minio_needs_it(cls, value: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("store") == "minio" and value is None:
            raise ValueError("is needed for the store `minio`")
        return value

    @field_validator("store_secret_key_file")
    @classmethod
    def _minio_needs_one_secret(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if info.data.get("store") == "minio" and (value is None) == (info.data.get("store_secret_key") is None):
            raise ValueError("MinIO needs store_secret_key or store_secret_key_file, one of the two")
        return value

    def secret_key(self) -> SecretStr:
        """Return the secret key, read from its file if it is in one."""
        if self.store_secret_key_file:
            return SecretStr(self.store_secret_key_file.read_text().strip())
        return self.store_secret_key or SecretStr("")


def open_object_store(settings: ObjectStoreSettings, home: Path | None = None) -> ObjectStore:
    """Return the store that the settings name; `home` is the service's own folder, if it has one.

    MinIO is asked first when the store is first used, so a service starts before its store does.
    """
    if settings.store == "local":
        folder = settings.store_dir or (home and home / "objects")
        if folder is None:
            raise InvalidArgument.of([("store_dir", "is needed for the store `local`")])
        return LocalObjectStore(folder, create=settings.store_create)
    # Here, because the embedded mode should not pay for the import of a client that it does not use.
    from service_kit.object_store_minio import MinioObjectStore

    return MinioObjectStore(settings)
