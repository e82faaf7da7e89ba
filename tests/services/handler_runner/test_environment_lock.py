"""A lock is text that says all, and reads back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handler_runner.environment_lock import BuiltPackage, Lock, lock_digest, pinned
from handler_runner.failure import WorkFailed

WORD = st.text("ab1.-", min_size=1, max_size=4)
LINE = st.builds(lambda name, digest: f"{name}==1 --hash=sha256:{digest}", WORD, WORD)
BUILT = st.builds(
    BuiltPackage, WORD, WORD, st.lists(LINE, max_size=3).map(tuple), url=WORD, commit=WORD, subdirectory=WORD
)


@settings(max_examples=40)
@given(st.lists(BUILT, max_size=3, unique_by=lambda package: package.name), st.lists(LINE, max_size=4, unique=True))
def test_a_lock_reads_back_whatever_its_order(built, wheels):
    lock = Lock("3.11", "linux x86_64", tuple(built), tuple(wheels))
    again = Lock.parse(lock.text())
    assert again.text() == lock.text()
    assert set(again.built) == set(built)
    assert set(again.wheels) == set(wheels)
    assert lock_digest(Lock("3.11", "linux x86_64", tuple(reversed(built)), tuple(reversed(wheels))).text()) == (
        lock_digest(lock.text())
    )


def test_requirements_with_hashes_on_lines_of_their_own_become_one_line():
    assert pinned("# head\nb==2\na==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n") == (
        "a==1 --hash=sha256:1 --hash=sha256:2",
        "b==2",
    )


@pytest.mark.parametrize("text", ["", "numpy==1\n", "# The packages of a Darkroom environment; format 1.\n"])
def test_what_is_no_lock_is_refused(text):
    with pytest.raises(WorkFailed, match="relocking the repository would do"):
        Lock.parse(text)
