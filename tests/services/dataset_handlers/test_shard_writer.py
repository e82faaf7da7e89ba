"""A shard holds its samples' examples, the same bytes each time; a bad photo is left out whole and named."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataset_handlers.errors import BadRawRecord, HandlerError
from dataset_handlers.example import decode_example
from dataset_handlers.handler import DatasetHandler
from dataset_handlers.sample import Sample
from dataset_handlers.shard_writer import write_shard
from dataset_handlers.tfrecord import read_records

SAMPLES = [Sample(name) for name in "abc"]


class Draws(DatasetHandler):
    """One number for each variation."""

    @classmethod
    def config_options(cls) -> Any:
        return {"variations_per_sample": 3}

    def samples(self) -> Any:
        return SAMPLES

    def examples(self, sample: Sample, rng: Any) -> Iterator[dict[str, Any]]:
        yield {"id": sample.id, "draw": int(rng.integers(2**40))}


def test_each_variation_has_a_record_and_randomness_of_its_own(tmp_path: Path) -> None:
    handler = Draws({}, tmp_path)
    result = write_shard(handler, SAMPLES, tmp_path / "a")
    examples = [decode_example(record) for record in read_records(tmp_path / "a")]
    assert [example["id"] for example in examples] == [[name.encode()] for name in "aaabbbccc"]
    assert len({example["draw"][0] for example in examples}) == 9
    assert result.examples == 9
    assert result.features == {
        "draw": {"dtype": "int64", "shape": []},
        "id": {"dtype": "bytes", "shape": [], "encoding": "utf8"},
    }


def test_neither_order_nor_company_has_a_say(tmp_path: Path) -> None:
    handler = Draws({}, tmp_path)
    write_shard(handler, SAMPLES, tmp_path / "all")
    write_shard(handler, SAMPLES[::-1], tmp_path / "reversed")
    write_shard(handler, SAMPLES[1:2], tmp_path / "one")
    records = {name: list(read_records(tmp_path / name)) for name in ("all", "reversed", "one")}
    assert sorted(records["all"]) == sorted(records["reversed"])
    assert records["one"] == records["all"][3:6]


def test_another_seed_draws_otherwise(tmp_path: Path) -> None:
    write_shard(Draws({}, tmp_path), SAMPLES, tmp_path / "a")
    write_shard(Draws({"seed": 1}, tmp_path), SAMPLES, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


def test_a_sample_that_turns_bad_late_is_left_out_whole(tmp_path: Path) -> None:
    class Late(Draws):
        def examples(self, sample: Sample, rng: Any) -> Iterator[dict[str, Any]]:
            yield {"id": sample.id}
            if sample.id == "b":
                raise BadRawRecord(self.raw_data_path / "b", "went bad")

    result = write_shard(Late({}, tmp_path), SAMPLES, tmp_path / "a")
    assert result.skipped == [("b", "went bad")]
    assert result.examples == 6
    assert [decode_example(record)["id"] for record in read_records(tmp_path / "a")] == [[b"a"]] * 3 + [[b"c"]] * 3


def failing(problem: Any) -> type[Draws]:
    class Failing(Draws):
        def examples(self, sample: Sample, rng: Any) -> Any:
            return problem(sample)

    return Failing


def test_input_attributes_choose_what_a_record_holds(tmp_path: Path) -> None:
    class Chosen(Draws):
        @classmethod
        def config_options(cls) -> Any:
            return {"input_attributes": ["draw"]}

    result = write_shard(Chosen({}, tmp_path), SAMPLES, tmp_path / "a")
    assert list(result.features) == ["draw"]
    with pytest.raises(HandlerError, match="yielded no depth, which input_attributes asks for"):
        write_shard(Chosen({"input_attributes": ["draw", "depth"]}, tmp_path), SAMPLES, tmp_path / "a")


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (lambda sample: [{}][sample.id], "sample 'a': TypeError: list indices"),
        (lambda sample: [3], "sample 'a': examples\\(\\) yielded int; a dict of features would do"),
        (lambda sample: [{"x": None}], "feature 'x' of sample 'a': NoneType is no feature"),
        (
            lambda sample: [{"x": 1, sample.id: 2}],
            "sample 'b': every example must hold the same features; not so 'a', 'b'",
        ),
        (lambda sample: [{"x": 1 if sample.id == "a" else 1.5}], "feature 'x' is float32 in one example and int64"),
    ],
)
def test_a_mistake_names_the_sample_and_leaves_no_file(tmp_path: Path, problem: Any, message: str) -> None:
    with pytest.raises(HandlerError, match=message):
        write_shard(failing(problem)({}, tmp_path), SAMPLES, tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_a_failing_disk_is_told_from_a_mistake(tmp_path: Path) -> None:
    def full(sample: Sample) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    def silly(sample: Sample) -> Any:
        raise OSError(errno.EINVAL, "Invalid argument")

    with pytest.raises(OSError, match="No space left"):
        write_shard(failing(full)({}, tmp_path), SAMPLES, tmp_path / "a")
    with pytest.raises(HandlerError, match="sample 'a': OSError"):
        write_shard(failing(silly)({}, tmp_path), SAMPLES, tmp_path / "a")


def test_progress_is_told_at_most_four_times_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(step * 0.1 for step in range(1000))
    monkeypatch.setattr("dataset_handlers.shard_writer.time.monotonic", lambda: next(clock))
    told: list[int] = []
    write_shard(Draws({}, tmp_path), [Sample(str(number)) for number in range(20)], tmp_path / "a", told.append)
    assert told == sorted(told)
    # A clock that moves 0.1 s at each look: 20 samples are 2 s, or a little more.
    assert 5 <= len(told) <= 8
