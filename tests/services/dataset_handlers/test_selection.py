"""What the options leave out stays out, and what they keep together is in one split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataset_handlers.errors import BadConfig
from dataset_handlers.handler_class import make_handler
from dataset_handlers.planning import list_samples, make_plan
from dataset_handlers.sample import Sample
from dataset_handlers.selection import Selection, selection_options
from dataset_handlers.stock_images import ImagesHandler
from dataset_handlers.stock_inpainting import InpaintingHandler

NAMES = [f"walk {walk}/{number:02}.jpg" for walk in range(12) for number in range(5)]


def select(root: Path, names: list[str] = NAMES, **options: Any) -> tuple[list[Sample], list[str]]:
    config = {name: option.default for name, option in selection_options().items()} | options
    selection = Selection(config, root)
    return list(selection.chosen(Sample(name) for name in names)), selection.warnings


def test_by_default_every_sample_stays_as_it_is(tmp_path: Path) -> None:
    assert select(tmp_path) == ([Sample(name) for name in NAMES], [])


def test_patterns_and_listed_paths_stay_out(tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_bytes("\ufeff# blurred\r\nwalk 1/00.jpg\r\n\r\n./walk 1/01.jpg\n".encode())
    samples, warnings = select(tmp_path, exclude=["walk 0/", "0[23].jpg"], exclude_file="out.txt")
    assert [sample.id for sample in samples if sample.id < "walk 2"] == [
        "walk 1/04.jpg",
        "walk 10/00.jpg",
        "walk 10/01.jpg",
        "walk 10/04.jpg",
        "walk 11/00.jpg",
        "walk 11/01.jpg",
        "walk 11/04.jpg",
    ]
    assert warnings == []


def test_what_matches_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_text("gone.jpg\nwalk 1/00.jpg\n")
    _, warnings = select(tmp_path, exclude=["*.png", "*.jpg"], exclude_file="out.txt")
    assert warnings == [
        "exclude: nothing matches '*.png'",
        "exclude_file: out.txt lists what is not there: 'gone.jpg'",
    ]
    _, warnings = select(tmp_path, group_by="(nowhere)")
    assert warnings == ["group_by: '(nowhere)' finds a group for none of 60 paths"]


def test_warnings_reach_the_plan(photos: Path) -> None:
    handler = make_handler(InpaintingHandler, {"exclude": ["*.gif"]}, {"photos": str(photos)})
    assert make_plan(handler, list_samples(handler)).warnings == ["exclude: nothing matches '*.gif'"]


@pytest.mark.parametrize(
    ("group_by", "group"), [("folder", "walk 3"), ("walk (.)", "3"), ("(.)/.(.)", "3/1"), ("(x)?walk", ""), (None, "")]
)
def test_a_group_follows_from_the_path(tmp_path: Path, group_by: str | None, group: str) -> None:
    samples, _ = select(tmp_path, ["walk 3/01.jpg"], group_by=group_by)
    assert samples == [Sample("walk 3/01.jpg", group=group)]


def test_a_group_is_never_in_two_splits(photos: Path) -> None:
    config = {"group_by": "photo (.)", "splits": {"train": 1, "test": 1}}
    listing = list_samples(make_handler(ImagesHandler, config, {"photos": str(photos)}))
    tens = {split: {sample.group for sample in samples} for split, samples in listing.items()}
    assert set.union(*tens.values()) == {"0", "1", "2"}
    assert sum(map(len, tens.values())) == 3


@pytest.mark.parametrize(
    ("options", "field", "said"),
    [
        ({"exclude": ["*.png", "a\\b"]}, "config.exclude[1]", r"parted by /"),
        ({"group_by": "("}, "config.group_by", r"'\(' is no regular expression: .*; folder, or one such as"),
        ({"group_by": "walk"}, "config.group_by", r"has no group in parentheses"),
        ({"exclude_file": "none.txt"}, "config.exclude_file", r"'none.txt' cannot be read: No such file"),
        ({"exclude_file": "../out.txt"}, "config.exclude_file", r"leads out of the raw dataset"),
    ],
)
def test_a_wrong_option_is_named(photos: Path, options: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(BadConfig, match=said) as caught:
        list_samples(make_handler(ImagesHandler, options, {"photos": str(photos)}))
    assert [violation.field for violation in caught.value.violations] == [field]


def test_what_is_left_out_changes_the_number_of_no_class(photos: Path) -> None:
    handler = ImagesHandler({"exclude": ["/cats/"]}, photos)
    assert {sample.data for sample in handler.samples()} == {(1, "dogs"), (2, "no class")}


def test_a_list_that_is_a_link_out_of_the_raw_dataset_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("a.jpg\n")
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "out.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(BadConfig, match="leads out of the raw dataset"):
        select(tmp_path / "raw", exclude_file="out.txt")
