"""A dataset on this machine: what it holds, and the ways to read it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from darkroom_client.cache import MANIFEST, use_lock_of, wrong_sizes
from darkroom_client.errors import DataLoss, InvalidArgument, NotFound
from darkroom_client.manifest import Feature, Manifest, Shard
from darkroom_client.use_lock import UseLock

SHUFFLE_BUFFER = 1024


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
                f"{', '.join(wrong[:3])} in {self.path} missing or cut short; "
                f"`darkroom get {self.key}` fetches it again"
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

    def as_tf(
        self,
        split: str,
        *,
        shuffle_seed: int | None = None,
        shuffle_buffer: int = SHUFFLE_BUFFER,
        batch_size: int | None = None,
        decode: bool = True,
    ) -> Any:
        """Return a `tf.data.Dataset` of feature dicts, images as uint8 `(height, width, channels)`.

        With ``shuffle_seed``, shards and then examples come in an order drawn from it, another one in each epoch, the
        same in each run. ``batch_size`` None takes the request's read option `batch_size`, 0 gives single examples;
        examples whose shapes differ make ragged batches. ``decode=False`` leaves bytes as stored.
        """
        from darkroom_client.reading_tf import read_as_tf

        return read_as_tf(
            self,
            split,
            shuffle_seed=shuffle_seed,
            shuffle_buffer=shuffle_buffer,
            batch_size=self._batch_size(batch_size),
            decode=decode,
        )

    def as_numpy(
        self,
        split: str,
        *,
        shuffle_seed: int | None = None,
        shuffle_buffer: int = SHUFFLE_BUFFER,
        batch_size: int | None = None,
        decode: bool = True,
    ) -> Iterator[dict[str, Any]]:
        """Iterate over dicts of NumPy values, without TensorFlow; options as for `as_tf`.

        In batches, features of one shape are stacked and others are lists.
        """
        from darkroom_client.reader import batches, iterate

        self.shards(split)  # a wrong name is refused here, not at the first example
        examples = iterate(self, split, shuffle_seed=shuffle_seed, shuffle_buffer=shuffle_buffer, decode=decode)
        size = self._batch_size(batch_size)
        return batches(examples, self.features, size) if size else examples

    def as_torch(
        self,
        split: str,
        *,
        shuffle_seed: int | None = None,
        shuffle_buffer: int = SHUFFLE_BUFFER,
        decode: bool = True,
    ) -> Any:
        """Return a torch `IterableDataset` of single examples as `as_numpy` gives them; the DataLoader batches.

        The workers of a DataLoader and the ranks of a job share the split evenly. `set_epoch(n)` before each epoch
        gives it an order of its own.
        """
        try:
            from darkroom_client.reading_torch import DarkroomDataset
        except ImportError as error:
            raise InvalidArgument("as_torch() needs torch: pip install torch; as_numpy() does without") from error
        return DarkroomDataset(self, split, shuffle_seed, shuffle_buffer, decode)

    def _batch_size(self, given: int | None) -> int:
        return int(self.read_options.get("batch_size") or 0) if given is None else given

    def survive_exec(self) -> None:
        """Keep the dataset in the cache for the program that replaces this process."""
        if self._use_lock is not None:
            self._use_lock.survive_exec()

    def __reduce__(self) -> Any:
        # Each process that a DataLoader starts opens, and holds, the dataset for itself.
        return open_dataset, (self.path, self.read_options)

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
