"""The stock handlers, and folders of a lab's own."""

from __future__ import annotations

import re

import pytest

from handler_runner.environment_installed import InstalledEnvironments
from handler_runner.failure import WorkFailed


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "my_handlers.py").write_text("x = 1\n")
    return folder


def commit(environments, name):
    return {served.name: served.commit for served in environments.served()}[name]


def test_the_stock_commit_is_the_same_each_time_and_64_digits():
    assert commit(InstalledEnvironments(), "stock") == commit(InstalledEnvironments(), "stock")
    assert re.fullmatch("[0-9a-f]{64}", commit(InstalledEnvironments(), "stock"))


def test_a_local_repository_has_a_new_commit_when_its_code_changes(folder):
    environments = InstalledEnvironments({"mine": folder})
    before = commit(environments, "mine")
    (folder / "notes.txt").write_text("no code")
    (folder / ".venv").mkdir()
    (folder / ".venv" / "other.py").touch()
    assert commit(environments, "mine") == before
    (folder / "my_handlers.py").write_text("x = 2\n")
    assert commit(environments, "mine") != before


def test_a_prepared_local_repository_tells_the_child_where_its_module_is(folder):
    environments = InstalledEnvironments({"mine": folder})
    environment = environments.prepare("mine", commit(environments, "mine"))
    assert dict(environment.fields) == {"repository": "mine", "path": str(folder), "module": "my_handlers"}
    assert environment == environments.prepare("mine", environment.commit)


def test_another_commit_than_the_one_that_is_there_is_refused(folder):
    environments = InstalledEnvironments({"mine": folder})
    with pytest.raises(WorkFailed, match=r"is at [0-9a-f]{12} here, not at old") as caught:
        environments.prepare("mine", "old")
    assert caught.value.failure_class == "ENVIRONMENT"


def test_an_unknown_repository_is_refused_with_those_that_there_are(folder):
    with pytest.raises(WorkFailed, match="no repository 'other'; it has: stock, mine"):
        InstalledEnvironments({"mine": folder}).prepare("other", "c")


def test_a_folder_that_is_gone_is_not_served_and_is_named_when_asked_for(folder):
    environments = InstalledEnvironments({"mine": folder / "gone"})
    assert [served.name for served in environments.served()] == ["stock"]
    with pytest.raises(WorkFailed, match="is missing; put it back"):
        environments.prepare("mine", "c")


def test_of_several_modules_the_one_named_for_handlers_is_meant(folder):
    environments = InstalledEnvironments({"mine": folder})
    (folder / "dataset_handlers_lab").mkdir()
    (folder / "dataset_handlers_lab" / "__init__.py").touch()
    (folder / "setup.py").touch()
    environment = environments.prepare("mine", commit(environments, "mine"))
    assert dict(environment.fields)["module"] == "dataset_handlers_lab"


def test_several_modules_without_a_name_that_tells_are_refused(folder):
    (folder / "more.py").touch()
    environments = InstalledEnvironments({"mine": folder})
    with pytest.raises(WorkFailed, match="It holds more, my_handlers"):
        environments.prepare("mine", commit(environments, "mine"))
