"""Each repository is prepared by whoever serves it."""

from __future__ import annotations

import pytest

from handler_runner.environment_git import GitEnvironments
from handler_runner.environment_installed import InstalledEnvironments
from handler_runner.environment_python import Interpreters
from handler_runner.environments_together import EnvironmentsTogether
from handler_runner.failure import WorkFailed
from handler_runner.sandbox_none import NoSandbox
from service_kit.git import GitRepository


@pytest.fixture
def environments(tmp_path):
    repositories = {
        "mine": GitRepository("mine", "https://git.example.org/mine", trusted=True),
        "theirs": GitRepository("theirs", "https://git.example.org/theirs"),
    }
    git = GitEnvironments(tmp_path, repositories, Interpreters(), NoSandbox("it is not installed"))
    return EnvironmentsTogether(InstalledEnvironments(), git)


def test_all_are_served_and_each_refusal_is_said(environments):
    served = {each.name: each for each in environments.served()}
    assert sorted(served) == ["mine", "stock", "theirs"]
    assert len(served["stock"].commit) == 64
    assert served["mine"].commit == ""
    assert served["mine"].refusal == ""
    assert "the sandbox here is none: it is not installed" in served["theirs"].refusal


def test_a_repository_goes_to_its_part(environments):
    commit = next(each.commit for each in environments.served() if each.name == "stock")
    assert environments.prepare("stock", commit).repository == "stock"
    with pytest.raises(WorkFailed, match="'theirs' is not trusted"):
        environments.prepare("theirs", "0" * 40)


def test_an_unknown_one_is_refused_with_those_that_there_are(environments):
    with pytest.raises(WorkFailed, match="no repository 'other'; it has: stock, mine, theirs"):
        environments.prepare("other", "0" * 40)
