"""A dataset on this machine: what it holds, and the ways to read it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkroom_client.cache import MANIFEST, use_lock_of, wrong_sizes
from darkroom_client.errors import DataLoss, InvalidArgument, NotFound
from darkroom_client.manifest import Feature, Manifest, Shard
from darkroom_client.use_lock import UseLock

if TYPE_CHECKING:
    from darkroom_client.reader import Examples


class Dataset:
    """A folder of shards with its manifest; it stays in the cache while this object lives."""

    def __init__(
        self, path: str | Path, read_options: Mapping[str, Any] | None = None, use_lock: UseLock | None = None
    ) -> None:
        self.path = Path(path).absolute()
        self.read_options = dict(read_options or {})
        self._use_lock = use_lock
        try:
            content = (self.path / MANIFEST).read_bytes()
        except OSError as error:
            raise NotFound(f"{self.path} is no dataset: {error.strerror}: {MANIFEST}") from error
        self.digest = hashlib.sha256(content).hexdigest()
        self.manifest = Manifest.parse(content)
        if wrong := wrong_sizes(self.path, self.manifest):
            raise DataLoss(
                f"{', '.join(wrong[:3])} in {self.path} missing or cut short; `darkroom get {self.key}` fetches them again"
            )

    @property
    def key(self) -> str:
        """The digest of all that the dataset is made from."""
        return self.manifest.key

    @property
    def splits(self) -> dict[str, int]:
        """Examples by split."""
        return dict(self.manifest.splits)

    @property
    def features(self) -> dict[str, Feature]:
        """What each example holds, by name."""
        return dict(self.manifest.features)

    @property
    def examples(self) -> int:
        """Examples in all splits."""
        return sum(self.manifest.splits.values())

    def shards(self, split: str) -> list[Shard]:
        """Return the split's shards, by index. Raises `InvalidArgument` for a split that there is not."""
        if split not in self.manifest.splits:
            raise InvalidArgument(f"no split {split!r}; this dataset has {', '.join(sorted(self.splits)) or 'none'}")
        return sorted((shard for shard in self.manifest.shards if shard.split == split), key=lambda shard: shard.index)

    def files(self, split: str) -> list[Path]:
        """Return the split's TFRecord files, by index."""
        return [self.path / shard.name for shard in self.shards(split)]

    def survive_exec(self) -> None:
        """Keep the dataset in the cache for the program that replaces this process."""
        if self._use_lock is not None:
            self._use_lock.survive_exec()

    def __repr__(self) -> str:
        return f"Dataset({str(self.path)!r}, {self.manifest.dataset_name}, splits={self.splits})"


def open_dataset(path: str | Path | None = None, read_options: Mapping[str, Any] | None = None) -> Dataset:
    """Open a dataset's folder: as given, else the one that `darkroom request … -- COMMAND` names to the command.

    ``path`` defaults to ``DARKROOM_DATASET`` and ``read_options`` to ``DARKROOM_READ_OPTIONS``, a JSON object.
    """
    chosen = path or os.environ.get("DARKROOM_DATASET")
    if not chosen:
        raise InvalidArgument(
            "no dataset is named: give open_dataset() a folder, set DARKROOM_DATASET, or run this by "
            "`darkroom request NAME -- COMMAND`"
        )
    if read_options is None:
        read_options = json.loads(os.environ.get("DARKROOM_READ_OPTIONS") or "{}")
    return Dataset(chosen, read_options, use_lock_of(Path(chosen).absolute()))
