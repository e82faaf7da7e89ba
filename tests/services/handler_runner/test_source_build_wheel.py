"""A wheel from a foreign build is looked at before anything is made of it."""

from __future__ import annotations

import zipfile

import pytest

from handler_runner.environment_lock import BuiltPackage
from handler_runner.failure import WorkFailed
from handler_runner.kept_folders import KeptFolders
from handler_runner.source_build_wheel import BuiltWheel, only_wheel

METADATA = "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\nRequires-Dist: six>=1\nRequires-Dist: numpy\n\nLong text\n"


@pytest.fixture
def hold(tmp_path):
    kept = KeptFolders(tmp_path / "kept", 9, 1 << 30)

    def held(name="tiny-1.0-py3-none-any.whl", files=None, raw=b""):
        def make(folder):
            folder.mkdir()
            if raw:
                (folder / name).write_bytes(raw)
                return
            with zipfile.ZipFile(folder / name, "w") as wheel:
                for file, text in (files or {"tiny-1.0.dist-info/METADATA": METADATA}).items():
                    wheel.writestr(file, text)

        return kept.hold("wheel", make)

    return held


def test_a_wheel_says_its_version_and_what_it_requires(hold):
    with hold() as held:
        wheel = BuiltWheel.of(BuiltPackage("tiny", "", ()), held)
        assert wheel.package.version == "1.0"
        assert wheel.requires == ("six>=1", "numpy")
        assert wheel.pinned.startswith(f"tiny @ file://{held.path}/tiny-1.0-py3-none-any.whl --hash=sha256:")


def test_another_version_than_the_lock_has_is_refused(hold):
    with pytest.raises(WorkFailed, match=r"tiny was built as 1\.0, and the lock has 2\.0"):
        BuiltWheel.of(BuiltPackage("tiny", "2.0", ()), hold())


@pytest.mark.parametrize(
    ("name", "raw", "files"),
    [
        ("other-1.0-py3-none-any.whl", b"", None),
        ("nonsense.whl", b"", None),
        ("tiny-1.0-py3-none-any.whl", b"no zip", None),
        ("tiny-1.0-py3-none-any.whl", b"", {"nothing": "x"}),
        (
            "tiny-1.0-py3-none-any.whl",
            b"",
            {"a.dist-info/METADATA": METADATA, "b.dist-info/METADATA": METADATA},
        ),
    ],
)
def test_what_is_no_such_wheel_is_refused(hold, name, raw, files):
    with pytest.raises(WorkFailed, match="the build of tiny made"):
        BuiltWheel.of(BuiltPackage("tiny", "", ()), hold(name, files, raw))


def test_a_link_is_no_wheel(tmp_path):
    (tmp_path / "secret").write_text("x")
    out = tmp_path / "out"
    out.mkdir()
    (out / "tiny-1.0-py3-none-any.whl").symlink_to(tmp_path / "secret")
    with pytest.raises(WorkFailed, match="a wheel of that name, a plain file, would do"):
        only_wheel(out, "tiny")


def test_none_and_two_are_refused(tmp_path):
    with pytest.raises(WorkFailed, match="made 0 wheels"):
        only_wheel(tmp_path, "tiny")
    for version in "12":
        (tmp_path / f"tiny-{version}-py3-none-any.whl").touch()
    with pytest.raises(WorkFailed, match="made 2 wheels"):
        only_wheel(tmp_path, "tiny")
