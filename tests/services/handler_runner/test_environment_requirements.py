"""Requirements are sorted by where they come from; what could lead anywhere else is refused."""

from __future__ import annotations

import pytest

from handler_runner.environment_python import Interpreter
from handler_runner.environment_requirements import own_requirements, sort_requirements
from handler_runner.failure import WorkFailed

PYTHON = Interpreter("/usr/bin/python3", "3.11.7", "/usr")


def sort(*lines):
    return sort_requirements(lines, PYTHON, "the repository 'mine'")


def test_packages_of_the_index_pass_with_their_markers_applied():
    found = sort("numpy >=1.20 ; python_version >= '3.8'", "tomli; python_version < '3.11'", "six[extra]==1.16.0")
    assert found.plain == ("numpy>=1.20", "six[extra]==1.16.0")
    assert found.git == ()


def test_dataset_handlers_is_replaced_by_what_it_requires():
    assert sort("dataset_handlers[operations]>=0.1").plain == own_requirements("operations")
    assert any(line.startswith("opencv-python-headless") for line in own_requirements("operations"))
    assert any(line.startswith("numpy") for line in own_requirements())
    assert sort("dataset-handlers @ git+https://example.org/fork").plain == ()


def test_another_dataset_handlers_than_the_runner_has_is_refused():
    with pytest.raises(WorkFailed, match="requires dataset-handlers>=99, and this runner has"):
        sort("dataset-handlers>=99")


@pytest.mark.parametrize(
    ("line", "url", "ref", "subdirectory"),
    [
        ("Tiny @ git+https://example.org/a/tiny.git@v1.0", "https://example.org/a/tiny.git", "v1.0", ""),
        ("tiny @ git+https://example.org/tiny", "https://example.org/tiny", "", ""),
        ("tiny @ git+https://example.org/tiny@feature/x#subdirectory=py/tiny", "https://example.org/tiny",
         "feature/x", "py/tiny"),
        ("tiny @ git+ssh://git@example.org/tiny.git@main", "ssh://git@example.org/tiny.git", "main", ""),
        ("tiny @ git+file:///srv/tiny@main", "file:///srv/tiny", "main", ""),
    ],
)  # fmt: skip
def test_git_dependencies_are_taken_apart(line, url, ref, subdirectory):
    [dependency] = sort(line).git
    assert dependency.name == "tiny"
    assert (dependency.url, dependency.ref, dependency.subdirectory) == (url, ref, subdirectory)


@pytest.mark.parametrize(
    "line",
    [
        "tiny @ https://example.org/tiny-1.0-py3-none-any.whl",
        "tiny @ file:///etc/passwd",
        "tiny @ git+http://example.org/tiny",
        "tiny @ git+ext::sh -c id",
        "tiny @ git+https://user:secret@example.org/tiny",
        "tiny @ git+https://example.org/tiny@--upload-pack=id",
        "tiny @ git+https://example.org/tiny@main#subdirectory=../../etc",
        "tiny @ git+https://example.org/tiny@main#subdirectory=/etc",
        "../tiny",
        "-e .",
        "--index-url=https://example.org",
        "numpy; import os",
    ],
)
def test_anything_else_is_refused_and_shows_no_secret(line):
    with pytest.raises(WorkFailed, match="the repository 'mine' requires") as caught:
        sort(line)
    assert "secret" not in str(caught.value)
    assert caught.value.failure_class == "ENVIRONMENT"
