"""Which files a walk finds."""

from __future__ import annotations

import os

import pytest

from handler_runner.raw_walk import walk


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "street"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(b"a")
    (folder / "sub" / "b.jpg").write_bytes(b"bb")
    return folder


def found(root, warnings=None):
    problems = [] if warnings is None else warnings
    return set(walk(os.fsencode(root), problems.append))


def test_files_in_folders_are_found_and_hidden_ones_are_not(root):
    (root / ".hidden.jpg").touch()
    (root / ".thumbnails").mkdir()
    (root / ".thumbnails" / "c.jpg").touch()
    assert found(root) == {b"a.jpg", b"sub/b.jpg"}


def test_a_link_inside_is_followed(root):
    (root / "same.jpg").symlink_to(root / "sub" / "b.jpg")
    (root / "folder").symlink_to(root / "sub")
    assert found(root) == {b"a.jpg", b"sub/b.jpg", b"same.jpg", b"folder/b.jpg"}


def test_a_link_that_leads_out_is_left_out_with_a_warning(root, tmp_path):
    (tmp_path / "secret.jpg").touch()
    (root / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (root / "out").symlink_to("/etc")
    warnings = []
    assert found(root, warnings) == {b"a.jpg", b"sub/b.jpg"}
    assert len(warnings) == 2


def test_a_link_in_a_circle_is_left_out(root):
    (root / "sub" / "up").symlink_to(root)
    (root / "sub" / "self").symlink_to(root / "sub")
    warnings = []
    assert found(root, warnings) == {b"a.jpg", b"sub/b.jpg"}
    assert len(warnings) == 2


def test_a_dangling_link_a_link_to_itself_and_a_pipe_are_left_out(root):
    (root / "dangling.jpg").symlink_to(root / "nothing.jpg")
    (root / "itself.jpg").symlink_to(root / "itself.jpg")
    os.mkfifo(root / "pipe.jpg")
    assert found(root) == {b"a.jpg", b"sub/b.jpg"}


def test_a_name_that_is_no_unicode_is_found(root):
    name = os.fsencode(root) + b"/\xff\n.jpg"
    with open(name, "wb"):
        pass
    assert b"\xff\n.jpg" in found(root)


def test_a_root_that_is_a_link_is_walked(root, tmp_path):
    (tmp_path / "link").symlink_to(root)
    assert found(tmp_path / "link") == {b"a.jpg", b"sub/b.jpg"}
