from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings, SettingsConfigDict

from service_kit.git_repository import GitRepository
from service_kit.repository_settings import RepositoriesSettings, git_repositories
from service_kit.settings import read_settings


class Settings(BaseSettings, RepositoriesSettings):
    model_config = SettingsConfigDict(env_prefix="DARKROOM_REGISTRY_", frozen=True, extra="ignore")


def read(monkeypatch: pytest.MonkeyPatch, value: Any) -> Settings:
    text = value if isinstance(value, str) else json.dumps(value)
    monkeypatch.setenv("DARKROOM_REGISTRY_REPOSITORIES", text)
    return read_settings(Settings)


def test_repositories_are_read_from_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch(0o600)
    settings = read(
        monkeypatch,
        {"lab": {"url": "git@git.lab.org:a/b.git", "ssh_key": str(key)}, "own": {"url": "/srv/own", "trusted": True}},
    )
    assert git_repositories(settings) == {
        "lab": GitRepository("lab", "git@git.lab.org:a/b.git", ssh_key=key),
        "own": GitRepository("own", "/srv/own", trusted=True),
    }


def test_null_is_no_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, "null").repositories == {}


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/lab/handlers.git",
        "https://git.lab.org:8443/a/b",
        "ssh://git@git.lab.org:2222/a/b.git",
        "git@git.lab.org:a/b.git",
        "file:///srv/git/handlers.git",
        "/srv/a folder/handlers",
    ],
)
def test_https_ssh_and_folders_are_taken(url: str) -> None:
    assert GitRepository("lab", url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ext::sh -c whoami",
        "fd::3",
        "http://git.lab.org/x",
        "git://git.lab.org/x",
        "--upload-pack=touch x",
        "-x",
        "relative/folder",
        "~/handlers",
        "ssh://-oProxyCommand=touch/x",
        "git@-oProxyCommand=x:y",
        "-oProxyCommand=x@host:y",
        "git@host:-x",
        "https://git.lab.org/x\n",
        "https://git.lab.org/x y",
        "https:///x",
        "file://host/x",
    ],
)
def test_other_urls_are_refused_at_start(monkeypatch: pytest.MonkeyPatch, capsys: Any, url: str) -> None:
    with pytest.raises(SystemExit):
        read(monkeypatch, {"lab": {"url": url}})
    assert "must be https://HOST/PATH" in capsys.readouterr().err


@pytest.mark.parametrize("secret", ["anna:canary@", "canary@"])
def test_a_secret_in_a_url_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, secret: str
) -> None:
    with pytest.raises(SystemExit):
        read(monkeypatch, {"lab": {"url": f"https://{secret}git.lab.org/x"}})
    said = capsys.readouterr().err
    assert "DARKROOM_REGISTRY_REPOSITORIES_LAB_URL: " in said
    assert "name that as `credentials`" in said
    assert "canary" not in said


@pytest.mark.parametrize("name", ["stock", "Lab", "a/b", "", "-x", "a" * 65, "lab\n"])
def test_names_that_no_handler_could_have_are_refused(monkeypatch: pytest.MonkeyPatch, capsys: Any, name: str) -> None:
    with pytest.raises(SystemExit):
        read(monkeypatch, {name: {"url": "/srv/x"}})
    assert "is no name for a repository" in capsys.readouterr().err


def test_files_with_secrets_must_be_there_kept_and_of_the_urls_kind(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    for make, url, word in (
        (lambda: None, "https://h/x", "is no file"),
        (lambda: token.touch(0o644), "https://h/x", "chmod 600"),
        (lambda: token.chmod(0o600), "/srv/x", "credentials is for https URLs"),
    ):
        make()
        with pytest.raises(SystemExit):
            read(monkeypatch, {"lab": {"url": url, "credentials": str(token)}})
        assert word in capsys.readouterr().err


def test_what_is_no_json_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with pytest.raises(SystemExit):
        read(monkeypatch, "lab=https://anna:canary@h/x")
    said = capsys.readouterr().err
    assert "DARKROOM_REGISTRY_REPOSITORIES: must be JSON" in said
    assert "canary" not in said
