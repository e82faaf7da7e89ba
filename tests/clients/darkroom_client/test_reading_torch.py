"""Torch's DataLoader reads the same values as NumPy, each example once, however many workers share the split."""

import numpy as np
import pytest

from darkroom_client import Dataset

torch = pytest.importorskip("torch")


@pytest.fixture
def dataset(dataset_folder) -> Dataset:
    return Dataset(dataset_folder)


def labels(loader) -> list[int]:
    return [int(label) for batch in loader for label in np.atleast_1d(batch["label"])]


def test_torch_and_numpy_read_the_same(dataset):
    loader = torch.utils.data.DataLoader(dataset.as_torch("train"), batch_size=None)
    for by_torch, by_numpy in zip(loader, dataset.as_numpy("train"), strict=True):
        for name in ("image", "label", "box", "noise", "tags"):
            np.testing.assert_array_equal(np.asarray(by_torch[name]), by_numpy[name])
        assert by_torch["name"] == by_numpy["name"]


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_share_a_split_and_none_reads_what_another_does(dataset, workers):
    loader = torch.utils.data.DataLoader(dataset.as_torch("train"), batch_size=None, num_workers=workers)
    assert sorted(labels(loader)) == list(range(20, 100))


def test_the_loader_makes_batches_and_knows_how_many(dataset):
    split = _Images(dataset.as_torch("train"))
    loader = torch.utils.data.DataLoader(split, batch_size=32)
    shapes = [tuple(batch["image"].shape) for batch in loader]
    assert shapes == [(32, 8, 8, 3), (32, 8, 8, 3), (16, 8, 8, 3)]
    assert len(dataset.as_torch("train")) == 80


def test_each_epoch_has_its_own_order_and_each_run_the_same(dataset):
    def epochs() -> list[list[int]]:
        split, orders = dataset.as_torch("train", shuffle_seed=7), []
        for number in range(2):
            split.set_epoch(number)
            orders.append(labels(torch.utils.data.DataLoader(split, batch_size=None, num_workers=2)))
        return orders

    first = epochs()
    assert first[0] != first[1]
    assert sorted(first[0]) == sorted(first[1]) == list(range(20, 100))
    assert epochs() == first


def test_each_rank_of_a_job_has_its_share(dataset, tmp_path):
    shares = tmp_path / "shares"
    shares.mkdir()
    torch.multiprocessing.spawn(_rank, args=(2, str(tmp_path / "meeting"), str(dataset.path), str(shares)), nprocs=2)
    parts = [set(np.load(file).tolist()) for file in sorted(shares.iterdir())]
    assert [len(part) for part in parts] == [40, 40]
    assert parts[0] | parts[1] == set(range(20, 100))


class _Images(torch.utils.data.IterableDataset):
    """What batches are made of: tags differ in length, which torch leaves to its user."""

    def __init__(self, examples) -> None:
        self._examples = examples

    def __iter__(self):
        return ({"image": each["image"], "label": each["label"]} for each in self._examples)


def _rank(rank: int, ranks: int, meeting: str, folder: str, shares: str) -> None:
    torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=ranks)
    split = Dataset(folder).as_torch("train")
    read = labels(torch.utils.data.DataLoader(split, batch_size=None))
    assert len(split) == len(read)
    np.save(f"{shares}/{rank}.npy", read)
    torch.distributed.destroy_process_group()
