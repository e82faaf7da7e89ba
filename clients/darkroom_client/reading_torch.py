"""Reads a split as a torch `IterableDataset`, shared out among a DataLoader's workers and the ranks of a job."""

from __future__ import annotations

from collections.abc import Iterator

import torch.distributed
import torch.utils.data

from darkroom_client.dataset import Dataset
from darkroom_client.reader import Example, iterate


class DarkroomDataset(torch.utils.data.IterableDataset):  # type: ignore[misc]
    """The examples of one split for a `torch.utils.data.DataLoader`; see `Dataset.as_torch`."""

    def __init__(
        self, dataset: Dataset, split: str, shuffle_seed: int | None, shuffle_buffer: int, decode: bool
    ) -> None:
        dataset.shards(split)  # refuses a split that there is not before a worker would
        self._dataset = dataset
        self._split = split
        self._shuffle_seed = shuffle_seed
        self._shuffle_buffer = shuffle_buffer
        self._decode = decode
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Give the epoch an order of its own."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[Example]:
        info = torch.utils.data.get_worker_info()
        inside, workers = (info.id, info.num_workers) if info is not None else (0, 1)
        rank, ranks = _rank()
        return iterate(
            self._dataset,
            self._split,
            worker=rank * workers + inside,
            workers=ranks * workers,
            shuffle_seed=None if self._shuffle_seed is None else self._shuffle_seed + self._epoch,
            shuffle_buffer=self._shuffle_buffer,
            decode=self._decode,
        )

    def __len__(self) -> int:
        rank, ranks = _rank()
        total = self._dataset.splits[self._split]
        return total * (rank + 1) // ranks - total * rank // ranks


def _rank() -> tuple[int, int]:
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1
