from __future__ import annotations

import pytest

from dataset_registry.release_tags import releases


@pytest.mark.parametrize(
    ("tags", "newest"),
    [
        (["v1.9", "v1.10", "v1.2"], "v1.10"),
        (["1.0", "1.1rc1"], "1.0"),
        (["v2.0.0-rc.1", "v1.0.0", "v2.0.0-alpha.beta"], "v1.0.0"),
        (["2.0a1", "2.0b1"], "2.0b1"),
        (["1.0.0-SNAPSHOT", "0.9"], "0.9"),
        (["release-3", "release-12"], "release-12"),
        (["handlers/v2", "handlers/v10"], "handlers/v10"),
        (["2024-05-01", "2024-11-30"], "2024-11-30"),
        (["1.0", "1.0.post1"], "1.0.post1"),
        (["paper", "v0.1", "old"], "v0.1"),
    ],
)
def test_the_newest_release_is_the_highest_version(tags: list[str], newest: str) -> None:
    assert releases(tags)[0] == newest
    assert releases(reversed(tags))[0] == newest


def test_tags_that_are_no_versions_are_no_releases() -> None:
    assert releases(["paper", "latest", "nightly", "a-b", ""]) == []
