"""Which git repositories of handlers a service knows by name: the allow-list, one for the registry and each runner."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from service_kit.git_repository import GitRepository, check_git_url, git_protocol

# The repository's half of REPOSITORY/HANDLER.
REPOSITORY_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
STOCK = "stock"


class RepositorySettings(BaseModel):
    """One repository: where it is, whether its code is trusted, and the files that let git in."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str
    trusted: bool = False
    ssh_key: Path | None = None
    credentials: Path | None = None
    known_hosts: Path | None = None
    ca: Path | None = None

    @field_validator("url")
    @classmethod
    def _is_allowed(cls, value: str) -> str:
        return check_git_url(value)

    @field_validator("ssh_key", "credentials", "known_hosts", "ca")
    @classmethod
    def _is_a_file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("is no file that this service can see")
        return value

    @field_validator("ssh_key", "credentials")
    @classmethod
    def _is_kept_secret(cls, value: Path | None) -> Path | None:
        if value is not None and value.stat().st_mode & 0o077:
            raise ValueError("can be read by others on this machine; `chmod 600` it")
        return value

    @model_validator(mode="after")
    def _fits_the_url(self) -> RepositorySettings:
        protocol = git_protocol(self.url)
        for field, needed in (("ssh_key", "ssh"), ("known_hosts", "ssh"), ("credentials", "https"), ("ca", "https")):
            if getattr(self, field) is not None and protocol != needed:
                raise ValueError(f"{field} is for {needed} URLs")
        return self


class RepositoriesSettings(BaseModel):
    """A service's settings class inherits this field."""

    model_config = ConfigDict(frozen=True)

    repositories: Annotated[
        dict[str, RepositorySettings],
        Field(
            description="Name to git repository of handlers, as JSON: `url`, and if need be `trusted` (false), "
            "`ssh_key`, `known_hosts`, `credentials`, `ca`; see deployment.md."
        ),
    ] = {}

    @field_validator("repositories", mode="before")
    @classmethod
    def _may_be_null(cls, value: Any) -> Any:
        # What compose puts in for a variable that is not set.
        return {} if value is None else value

    @field_validator("repositories")
    @classmethod
    def _have_names(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if not REPOSITORY_NAME.fullmatch(name) or name == STOCK:
                raise ValueError(
                    f"{name[:80]!r} is no name for a repository: at most 64 of a-z 0-9 . _ - would do, the first a "
                    f"letter or digit, and not `{STOCK}`"
                )
        return value


def git_repositories(settings: RepositoriesSettings) -> dict[str, GitRepository]:
    """Return the repositories that the settings name, by name."""
    return {name: GitRepository(name=name, **dict(each)) for name, each in sorted(settings.repositories.items())}
