"""Reads a service's settings once, and says which variable is wrong and what would do."""

from __future__ import annotations

import sys
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

Settings = TypeVar("Settings", bound=BaseSettings)


def read_settings(kind: type[Settings]) -> Settings:
    """Return the settings from the environment; on a wrong value print every variable at fault and exit with 2."""
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        for problem in error.errors():
            variable = prefix + "_".join(str(part) for part in problem["loc"]).upper()
            received = "" if problem["type"] == "missing" else f", not {problem['input']!r}"
            sys.stderr.write(f"{variable}: {problem['msg']}{received}\n")
        raise SystemExit(2) from None
