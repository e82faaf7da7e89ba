"""Says to a child what to run: the fields that every command of one build shares."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkroom.handler.v1 import handler_pb2
from handler_runner.environment import Environment

# A preview has no key yet; the same preview should still show the same pictures.
_PREVIEW_SEED = "preview"


@dataclass(frozen=True)
class HandlerCommand:
    """A handler with its config and raw data, in its environment."""

    environment: Environment
    handler: str
    config: Mapping[str, Any]
    raw: Mapping[str, Path]
    seed: str

    @classmethod
    def of(cls, task: handler_pb2.BuildTask, environment: Environment, raw: Mapping[str, Path]) -> HandlerCommand:
        """Return it for a build task; ``raw`` is role to folder."""
        return cls(environment, task.handler, json.loads(task.config_json or "{}"), raw, task.key or _PREVIEW_SEED)

    def fields(self, kind: str, **more: Any) -> dict[str, Any]:
        """Return the command of that type."""
        raw = {role: str(path) for role, path in self.raw.items()}
        return {
            "type": kind,
            "handler": self.handler,
            "config": dict(self.config),
            "raw": raw,
            "seed": self.seed,
            **more,
        }

    def without_folders(self, text: str) -> str:
        """Return the text with raw files named as the raw dataset names them: facts must not depend on a machine."""
        for path in sorted(map(str, self.raw.values()), key=len, reverse=True):
            text = text.replace(path + os.sep, "")
        return text
