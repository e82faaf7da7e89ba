"""A dataset is opened by its folder, or by what `darkroom request -- COMMAND` leaves in the environment."""

import pickle

import pytest

from darkroom_client import DataLoss, Dataset, InvalidArgument, NotFound, open_dataset


def test_a_dataset_knows_its_key_digest_splits_and_features(dataset_folder, facts):
    dataset = Dataset(dataset_folder)
    assert (dataset.key, dataset.digest) == (facts["key"], facts["digest"])
    assert dataset.splits == {"train": 80, "test": 20}
    assert dataset.examples == 100
    assert set(dataset.features) == {"image", "label", "box", "noise", "name", "tags"}
    assert [file.name for file in dataset.files("train")] == [f"train-0000{i}.tfrecord" for i in range(3)]


def test_the_environment_names_the_dataset_and_the_read_options(dataset_folder, monkeypatch):
    monkeypatch.setenv("DARKROOM_DATASET", str(dataset_folder))
    monkeypatch.setenv("DARKROOM_READ_OPTIONS", '{"batch_size": 7}')
    dataset = open_dataset()
    assert dataset.path == dataset_folder
    assert dataset.read_options == {"batch_size": 7}
    assert len(next(dataset.as_numpy("train"))["label"]) == 7


def test_without_a_name_it_says_how_to_give_one(monkeypatch):
    monkeypatch.delenv("DARKROOM_DATASET", raising=False)
    with pytest.raises(InvalidArgument, match="darkroom request NAME -- COMMAND"):
        open_dataset()


def test_a_folder_that_is_no_dataset_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="is no dataset"):
        open_dataset(tmp_path)


def test_a_damaged_dataset_is_not_opened(dataset_folder):
    (dataset_folder / "train-00000.tfrecord").unlink()
    with pytest.raises(DataLoss, match=r"train-00000\.tfrecord"):
        Dataset(dataset_folder)


@pytest.mark.parametrize("way", ["as_numpy", "as_tf"])
def test_an_unknown_split_is_refused_with_those_there_are(dataset_folder, way):
    with pytest.raises(InvalidArgument, match="no split 'val'; this dataset has test, train"):
        getattr(Dataset(dataset_folder), way)("val")


def test_a_worker_that_is_started_anew_opens_it_for_itself(dataset_folder):
    again = pickle.loads(pickle.dumps(Dataset(dataset_folder, {"batch_size": 3})))
    assert (again.path, again.read_options) == (dataset_folder, {"batch_size": 3})


def test_without_torch_as_torch_says_what_to_install(dataset_folder):
    with pytest.raises(InvalidArgument, match="pip install torch"):
        Dataset(dataset_folder).as_torch("train")
