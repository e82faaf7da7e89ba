"""check_handler finds each broken promise, and passes a handler that keeps them."""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path
from typing import Any

import cv2
import pytest

from dataset_handlers import DatasetHandler, HandlerError, Sample, photo_samples
from dataset_handlers.example import encode_example
from dataset_handlers.operations import read_image
from dataset_handlers.testing import HandlerFault, check_handler
from dataset_handlers.tfrecord import write_record


class Good(DatasetHandler):
    """Says how bright photos are."""

    @classmethod
    def config_options(cls) -> Any:
        return {"power": 1.0}

    def samples(self) -> Any:
        return photo_samples(self.raw_data_path)

    def examples(self, sample: Sample, rng: Any) -> Any:
        photo = read_image(self.raw_data_path / sample.photo)
        yield {"id": sample.id, "brightness": float(photo.mean()) ** self.power, "noise": rng.random()}


def test_a_good_handler_passes(photos: Path) -> None:
    report = check_handler(Good, {"power": 2}, photos)
    assert report.handler == "good"
    assert report.samples == sum(report.splits.values()) == 24
    assert report.examples == 24
    assert list(report.features) == ["brightness", "id", "noise"]
    assert report.skipped == report.notes == []


def test_it_only_reads_the_raw_data(photos: Path) -> None:
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in photos.rglob("*")}
    check_handler(Good, {}, photos)
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in photos.rglob("*")} == before


class UnsortedSamples(Good):
    def samples(self) -> Any:
        return list(super().samples())[::-1]


class ShiftingSamples(Good):
    def samples(self) -> Any:
        return [Sample(f"{random.random()}", source="x")]


class RepeatedSamples(Good):
    def samples(self) -> Any:
        return [Sample("a"), Sample("a")]


class TornPhoto(Good):
    def samples(self) -> Any:
        return [Sample("a", "x.jpg", "train"), Sample("b", "x.jpg", "test")]


class OtherRandomness(Good):
    def examples(self, sample: Sample, rng: Any) -> Any:
        yield {"x": random.random()}


class Remembering(Good):
    seen = 0

    def examples(self, sample: Sample, rng: Any) -> Any:
        self.seen += 1
        yield {"x": self.seen}


class Swallowing(Good):
    def examples(self, sample: Sample, rng: Any) -> Any:
        photo = cv2.imread(str(self.raw_data_path / sample.photo))
        yield {"pixels": 0 if photo is None else photo.size}


class Silent(Good):
    def examples(self, sample: Sample, rng: Any) -> Any:
        return iter(())


class Lenient(Good):
    @classmethod
    def config_options(cls) -> Any:
        return {"no_such_option_": 0}


class NoSamples(Good):
    def samples(self) -> Any:
        photo_samples(self.raw_data_path)


class OnlyNames(Good):
    def samples(self) -> Any:
        return ["a.jpg", "b.jpg"]


class OtherFiles(Good):
    def samples(self) -> Any:
        return photo_samples(self.raw_data_path, [".raw"])


class OddFeature(Good):
    def examples(self, sample: Sample, rng: Any) -> Any:
        yield {"when": object()}


class TwoRoles(Good):
    roles = ("photos", "masks")


class Downloading(Good):
    def examples(self, sample: Sample, rng: Any) -> Any:
        with contextlib.suppress(OSError):
            socket.create_connection(("weights.invalid", 443), 0.01)
        return super().examples(sample, rng)


class Forgetful(Good):
    def examples(self, sample: Sample, rng: Any) -> Any:
        return {"x": 1}


class Empty(Good):
    def examples(self, sample: Sample, rng: Any) -> Any:
        pass


@pytest.mark.parametrize(
    ("handler", "fault"),
    [
        (NoSamples, "returned NoneType; `return photo_samples"),
        (OnlyNames, "samples.. lists 'a.jpg'; Sample"),
        (OtherFiles, "lists nothing below .*make_photos"),
        (OddFeature, "feature 'when' of sample 'dogs/photo 04.jpg': object is no feature"),
        (TwoRoles, "roles of two_roles are photos, masks; .*{'photos': folder, 'masks': folder}"),
        (Downloading, "reached weights.invalid: a build has no network"),
        (UnsortedSamples, "not sorted by id"),
        (ShiftingSamples, "lists something else the second time"),
        (OtherRandomness, "differ the second time in x; rng"),
        (Remembering, "differ the second time in x; .* nothing may be kept"),
        (Swallowing, "was taken for a whole photo"),
        (Silent, "no sample gave an example"),
        (Lenient, "an unknown option is accepted"),
        (int, "is no handler"),
    ],
)
def test_a_broken_promise_is_named(photos: Path, handler: Any, fault: str) -> None:
    with pytest.raises(HandlerFault, match=fault):
        check_handler(handler, {}, photos)


def test_a_handler_that_writes_into_its_raw_folder_is_named(own_photos: Path) -> None:
    class Untidy(Good):
        def examples(self, sample: Sample, rng: Any) -> Any:
            (self.raw_data_path / "cache.npy").write_bytes(b"kept")
            return super().examples(sample, rng)

    with pytest.raises(HandlerFault, match=r"writes into its raw folders, which a build may only read: .*cache\.npy"):
        check_handler(Untidy, {}, own_photos)


def test_a_raw_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(HandlerFault, match=r"nowhere \(role 'photos'\) is not there"):
        check_handler(Good, {}, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("handler", "fault"),
    [
        (RepeatedSamples, "twice"),
        (TornPhoto, "in the splits"),
        (Forgetful, r"examples\(\) returned dict; to `yield` a dict"),
        (Empty, r"examples\(\) returned NoneType; to `yield`"),
    ],
)
def test_a_wrong_listing_or_example_is_named(photos: Path, handler: Any, fault: str) -> None:
    with pytest.raises(HandlerError, match=fault):
        check_handler(handler, {}, photos)


def test_a_config_that_is_refused_is_named(photos: Path) -> None:
    with pytest.raises(HandlerFault, match=r"the config is refused: .*power"):
        check_handler(Good, {"power": "much"}, photos)


def test_too_many_bad_photos_are_named(own_photos: Path) -> None:
    for photo in sorted(own_photos.rglob("*.jpg"))[:3]:
        photo.write_bytes(b"")
    with pytest.raises(HandlerFault, match="3 raw records are bad, 1 are allowed"):
        check_handler(Good, {}, own_photos)


def test_what_could_not_be_checked_is_said(photos: Path) -> None:
    class Elsewhere(Good):
        def samples(self) -> Any:
            return [Sample("1"), Sample("2")]

        def examples(self, sample: Sample, rng: Any) -> Any:
            yield {"x": 1}

    assert check_handler(Elsewhere, {}, photos).notes == ["a corrupt photo: no sample names its source file"]


def test_a_handler_in_the_seeds_style_is_run(photos: Path) -> None:
    class Seed:
        def __init__(self, config: Any, base_data_path: str) -> None:
            self.count = config["count"]

        def config_options(self) -> Any:
            return {"count": 3}

        def as_tfrecord(self) -> Any:
            with open("train.tfrecord", "wb") as file:
                for number in range(self.count):
                    write_record(file, encode_example({"number": number}))
            return ["train.tfrecord"]

    report = check_handler(Seed, {"count": 5}, photos)
    assert report.style == "records"
    assert report.splits == {"train": 5}
    assert report.features == {"number": {"dtype": "int64", "shape": []}}
