"""Keeps the model files that users added, each with the description of its inputs and outputs."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from inpainting.model_loading import load_painter, try_painter
from inpainting_models.painting import Painter
from service_kit.durable_files import sync_folder
from service_kit.errors import FailedPrecondition, InvalidArgument

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_FACTS = "model.json"
_DEFAULT = "default"
_PARTIAL = ".partial-"


@dataclass(frozen=True)
class AddedModel:
    """What is known of a file without loading it."""

    name: str
    file: str
    io: str
    """The name of a known description, or one as YAML."""
    description: str
    training_size: tuple[int, int] | None


class AddedModels:
    """A folder with one folder for each model."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for left in folder.glob(f"{_PARTIAL}*"):
            shutil.rmtree(left, ignore_errors=True)

    def all(self) -> list[AddedModel]:
        """Return what is there, by name."""
        found = []
        for path in sorted(self._folder.glob(f"*/{_FACTS}")):
            if not path.parent.name.startswith("."):
                facts = json.loads(path.read_text())
                size = facts.pop("training_size")
                found.append(AddedModel(**facts, training_size=tuple(size) if size else None))
        return found

    def add(self, name: str, file: Path, file_name: str, io: str) -> Painter:
        """Copy the file in, once it has been loaded and tried. Raises `InvalidArgument` naming what is wrong."""
        if not _NAME.fullmatch(name):
            raise InvalidArgument.of(
                [("name", f"{name[:100]!r} must be of a-z, 0-9 and . _ -, begin with one of a-z, 0-9, at most 64 long")]
            )
        partial = self._folder / f"{_PARTIAL}{secrets.token_hex(8)}"
        partial.mkdir(parents=True)
        try:
            kept = partial / f"model{Path(file_name).suffix.lower()}"
            shutil.copyfile(file, kept)
            painter = load_painter(kept, io, name)
            try_painter(painter)
            facts = AddedModel(name, kept.name, io, f"model file {Path(file_name).name}", painter.training_size)
            with (partial / _FACTS).open("w") as target:
                json.dump(asdict(facts), target)
                target.flush()
                os.fsync(target.fileno())
            partial.rename(self._folder / name)
            sync_folder(self._folder)
            return painter
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def load(self, name: str) -> Painter:
        """Return the model as a painter. Raises `FailedPrecondition` when its file does not load any more."""
        facts = next(each for each in self.all() if each.name == name)
        try:
            return load_painter(self._folder / name / facts.file, facts.io, name)
        except InvalidArgument as error:
            raise FailedPrecondition(f"the model {name} cannot be loaded: {error.message}") from error

    def remove(self, name: str) -> None:
        """Forget a model."""
        hidden = self._folder / f"{_PARTIAL}{secrets.token_hex(8)}"
        (self._folder / name).rename(hidden)
        shutil.rmtree(hidden, ignore_errors=True)

    @property
    def default(self) -> str:
        """The name that was chosen as the default; empty: none was."""
        path = self._folder / _DEFAULT
        return path.read_text().strip() if path.is_file() else ""

    def set_default(self, name: str) -> None:
        """Choose the default."""
        partial = self._folder / f"{_PARTIAL}{secrets.token_hex(8)}"
        self._folder.mkdir(parents=True, exist_ok=True)
        partial.write_text(name)
        partial.replace(self._folder / _DEFAULT)
