from __future__ import annotations

import pytest

from dataset_registry.git_versions import find_version, newest_versions
from service_kit.errors import InvalidArgument, NotFound

A, B, C = "a" * 40, "b" * 40, "bbbbbbbc" + "c" * 32
REFS = {
    "HEAD": C,
    "refs/heads/main": C,
    "refs/heads/feature/sky": A,
    "refs/heads/v1": B,
    "refs/tags/v1": A,
    "refs/tags/v2.0": B,
    "refs/tags/v3.0-rc.1": C,
    "refs/tags/paper": A,
}


@pytest.mark.parametrize(
    ("version", "commit"),
    [
        ("v2.0", B),
        ("main", C),
        ("feature/sky", A),
        ("paper", A),
        ("latest", B),
        ("aaaaaaa", A),
        ("bbbbbbbc", C),
        ("d" * 40, "d" * 40),
    ],
)
def test_a_version_is_a_tag_a_branch_a_commit_or_the_beginning_of_one(version: str, commit: str) -> None:
    assert find_version("lab", version, REFS) == commit


def test_a_tag_goes_before_a_branch_of_its_name() -> None:
    assert find_version("lab", "v1", REFS) == A


def test_the_beginning_of_two_commits_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="more digits"):
        find_version("lab", "bbbbbbb", REFS)


@pytest.mark.parametrize("version", ["v9", "aaaaaa", "refs/tags/v1", "HEAD"])
def test_an_unknown_version_names_the_newest_tags_and_the_branches(version: str) -> None:
    with pytest.raises(NotFound, match=r"the tags v2.0, v1, v3.0-rc.1, paper and the branches feature/sky, main, v1"):
        find_version("lab", version, REFS)


def test_without_releases_there_is_no_latest_and_the_error_says_what_there_is() -> None:
    with pytest.raises(NotFound, match=r"no release tag.*no tags and the branches main"):
        find_version("lab", "latest", {"HEAD": A, "refs/heads/main": A})


def test_of_many_versions_an_error_names_a_few() -> None:
    refs = {f"refs/tags/v{number}": A for number in range(30)}
    with pytest.raises(NotFound, match="v29, v28, v27, v26, v25, v24, v23, v22 and 22 more and no branches"):
        find_version("lab", "x", refs)


def test_the_newest_versions_are_releases_and_then_the_branch_that_is_shown() -> None:
    assert newest_versions(REFS) == [("v2.0", B), ("v1", A), ("v3.0-rc.1", C), ("main", C)]
    assert newest_versions({}) == []
