"""The contract's own promises: options become attributes, and files come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataset_handlers import BadConfig, DatasetHandler, HandlerError, Size, photo_samples


class Sizes(DatasetHandler):
    """How large photos are."""

    @classmethod
    def config_options(cls) -> Any:
        return {"image_size": Size([8, 8]), "factor": 2.0}

    def samples(self) -> Any:
        return photo_samples(self.raw_data_path)

    def examples(self, sample: Any, rng: Any) -> Any:
        yield {"bytes": (self.raw_data_path / sample.photo).stat().st_size, "draw": rng.random()}


def test_each_option_becomes_an_attribute(photos: Path) -> None:
    handler = Sizes({"image_size": "16x32", "splits": {"train": 3, "test": 1}}, photos)
    assert handler.image_size == [16, 32]
    assert handler.factor == 2.0
    assert handler.splits == {"test": 0.25, "train": 0.75}
    assert handler.seed == 0
    assert handler.variations_per_sample == 1
    assert handler.config["image_size"] == [16, 32]
    assert handler.raw_data_path == photos
    assert handler.base_data_path == photos


def test_a_wrong_config_names_all_that_is_wrong(photos: Path) -> None:
    with pytest.raises(BadConfig) as caught:
        Sizes({"image_size": "x", "seed": -1, "speed": 3, "splits": {"train": "much"}}, photos)
    assert [violation.field for violation in caught.value.violations] == [
        "config.speed",
        "config.image_size",
        "config.splits.train",
        "config.seed",
    ]
    assert "Did you mean 'seed'?" in str(caught.value)


def test_an_option_cannot_hide_the_contract(photos: Path) -> None:
    class Hiding(Sizes):
        @classmethod
        def config_options(cls) -> Any:
            return {"samples": 3}

    with pytest.raises(HandlerError, match="option 'samples' would hide"):
        Hiding({}, photos)


def test_what_an_author_must_write_is_said(photos: Path) -> None:
    handler = DatasetHandler({}, photos)
    for method in (handler.samples, lambda: handler.examples(None, None)):  # type: ignore[arg-type]
        with pytest.raises(NotImplementedError, match=r"samples\(\) and examples\(\), or as_tfrecord"):
            method()


def test_files_come_out_without_any_service(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = Sizes({}, photos).as_tfrecord()
    assert all(Path(file).is_file() and file.endswith(".tfrecord") for file in files)
    assert files[0].startswith("tfrecords/Sizes-")
