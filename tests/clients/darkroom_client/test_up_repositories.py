"""The git repositories that `darkroom up` is told of, and what the registry says to them."""

from __future__ import annotations

import json
import os

import pytest
from typer.testing import CliRunner

from darkroom_client.catalog import Runner
from darkroom_client.command import app
from darkroom_client.errors import InvalidArgument
from darkroom_client.up import UpSettings
from darkroom_client.up_repositories import check_repositories, read_repositories, repository_lines


def test_options_name_repositories_and_those_that_are_trusted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    assert read_repositories(["lab=https://h/x", "own=mine"], ["own"], None) == {
        "lab": {"url": "https://h/x"},
        "own": {"url": str(tmp_path / "mine"), "trusted": True},
    }


def test_a_file_names_keys_and_credentials_beside_it(tmp_path):
    (tmp_path / "repositories.yaml").write_text(
        "lab: {url: 'git@h:a/b.git', ssh_key: keys/lab}\nown: {url: 'https://h/x', credentials: /etc/token}\n"
    )
    found = read_repositories(["more=/srv/more"], ["lab"], tmp_path / "repositories.yaml")
    assert found == {
        "lab": {"url": "git@h:a/b.git", "ssh_key": str(tmp_path / "keys/lab"), "trusted": True},
        "own": {"url": "https://h/x", "credentials": "/etc/token"},
        "more": {"url": "/srv/more"},
    }


@pytest.mark.parametrize(
    ("assignments", "trusted", "words"),
    [
        (["lab"], [], "NAME=URL"),
        (["=x"], [], "NAME=URL"),
        (["lab=/a", "lab=/b"], [], "named twice"),
        ([], ["lab"], "no --repository has that name"),
    ],
)
def test_what_is_written_wrong_is_refused(assignments, trusted, words):
    with pytest.raises(InvalidArgument, match=words):
        read_repositories(assignments, trusted, None)


@pytest.mark.parametrize("text", ["- a\n", "lab: https://h/x\n", "{\n", "lab: {trusted: true}\n"])
def test_a_file_that_names_no_repositories_is_refused(tmp_path, text):
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(InvalidArgument, match="--repositories"):
        read_repositories([], [], tmp_path / "r.yaml")


def test_registry_and_runner_get_the_same_and_without_options_what_their_variables_say(tmp_path, monkeypatch):
    monkeypatch.setenv("DARKROOM_REGISTRY_REPOSITORIES", "{}")
    plain = UpSettings(tmp_path, tmp_path, "localhost:1").environments()
    assert plain["registry"]["DARKROOM_REGISTRY_REPOSITORIES"] == "{}"
    told = UpSettings(tmp_path, tmp_path, "localhost:1", repositories={"lab": {"url": "/srv/lab"}}).environments()
    for part in ("registry", "runner"):
        assert json.loads(told[part][f"DARKROOM_{part.upper()}_REPOSITORIES"]) == {"lab": {"url": "/srv/lab"}}


def test_the_registry_says_what_is_wrong_before_anything_is_started(tmp_path):
    wrong = {
        "REPOSITORIES": json.dumps(
            {
                "my.lab": {"url": "ext::sh -c id"},
                "own": {"url": "https://anna:canary@h/x"},
                "key": {"url": "git@h:x", "ssh_key": str(tmp_path / "nowhere")},
            }
        )
    }
    with pytest.raises(InvalidArgument) as refused:
        check_repositories(os.environ | {f"DARKROOM_REGISTRY_{name}": value for name, value in wrong.items()})
    lines = str(refused.value).splitlines()
    assert lines[0].startswith("--repository my.lab url: must be https://HOST/PATH")
    assert lines[1].startswith("--repository own url: must hold no user or password")
    assert lines[2].startswith("--repository key ssh_key: is no file")
    assert "canary" not in str(refused.value)


def test_up_with_a_repository_that_cannot_be_ends_at_once(tmp_path):
    (tmp_path / "raw").mkdir()
    options = ["up", "--raw", str(tmp_path / "raw"), "--home", str(tmp_path / "home"), "--listen", "localhost:59991"]
    ended = CliRunner().invoke(app, [*options, "--repository", "lab=ftp://h/x"])
    assert ended.exit_code == 2
    assert "--repository lab url: must be" in ended.stderr


def test_each_repository_is_shown_with_how_its_code_runs():
    runner = Runner("studio", refused_repositories=("dark: its sandbox is none: no bwrap; install bubblewrap",))
    repositories = {"lab": {"url": "/srv/lab"}, "own": {"url": "/srv/own", "trusted": True}, "dark": {"url": "/d"}}
    assert repository_lines(repositories, [runner]) == [
        "  git       dark  /d  NOT RUN: its sandbox is none: no bwrap; install bubblewrap",
        "            lab  /srv/lab  runs in the sandbox",
        "            own  /srv/own  trusted: runs as this user",
    ]
