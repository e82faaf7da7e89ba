"""Whatever foreign code leaves behind can be removed."""

from __future__ import annotations

import os

from handler_runner.remove_tree import remove_tree


def test_folders_nested_deeper_than_a_path_may_be_long(tmp_path):
    root, here = tmp_path / "root", os.getcwd()
    root.mkdir()
    os.chdir(root)
    try:
        for _ in range(1200):
            os.mkdir("deeper")
            os.chdir("deeper")
    finally:
        os.chdir(here)
    assert remove_tree(root)


def test_folders_without_permissions_and_links_that_lead_away(tmp_path):
    root, kept = tmp_path / "root", tmp_path / "kept"
    (root / "closed").mkdir(parents=True)
    (root / "closed" / "file").write_text("x")
    kept.mkdir()
    (kept / "file").write_text("mine")
    (root / "link").symlink_to(kept)
    (root / "closed").chmod(0)
    assert remove_tree(root)
    assert (kept / "file").read_text() == "mine"


def test_what_is_not_there_is_gone(tmp_path):
    assert remove_tree(tmp_path / "nothing")
