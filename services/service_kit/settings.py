"""Reads a service's settings once, and says which variable is wrong and what would do."""

from __future__ import annotations

import sys
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

from service_kit.git_repository import without_secrets

Settings = TypeVar("Settings", bound=BaseSettings)


def read_settings(kind: type[Settings]) -> Settings:
    """Return the settings from the environment; on a wrong value print every variable at fault and exit with 2."""
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        for problem in error.errors():
            variable = prefix + "_".join(str(part) for part in problem["loc"]).upper()
            received = "" if problem["type"] == "missing" else f", not {without_secrets(repr(problem['input']))}"
            sys.stderr.write(f"{variable}: {problem['msg']}{received}\n")
        raise SystemExit(2) from None
    except SettingsError as error:
        # Its words name the field; the value itself could hold a secret.
        field = str(error).partition('"')[2].partition('"')[0]
        sys.stderr.write(f"{kind.model_config.get('env_prefix', '')}{field.upper()}: must be JSON\n")
        raise SystemExit(2) from None
