from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from service_kit.git import Git
from service_kit.git_process import git_arguments, git_environment
from service_kit.git_repository import GitRepository


def kept(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def filled(repository: GitRepository, host: str) -> dict[str, str]:
    """Return what git itself finds for a host."""
    done = subprocess.run(
        [*git_arguments(repository), "credential", "fill"],
        input=f"protocol=https\nhost={host}\n\n",
        env=git_environment(repository, None),
        capture_output=True,
        text=True,
        timeout=20,
    )
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


@pytest.mark.parametrize(
    ("text", "user"),
    [
        ("https://anna:s3cr%3Aet@git.lab.org\n", "anna"),
        ("anna:s3cr:et\n", "anna"),
    ],
)
def test_git_reads_the_credentials_file_itself(tmp_path: Path, text: str, user: str) -> None:
    file = kept(tmp_path / "a file", text)
    found = filled(GitRepository("lab", "https://git.lab.org/x", credentials=file), "git.lab.org")
    assert (found["username"], found["password"]) == (user, "s3cr:et")
    assert file.read_text() == text


def test_a_bare_token_is_the_password(tmp_path: Path) -> None:
    file = kept(tmp_path / "token", "ghp_token")
    assert filled(GitRepository("lab", "https://git.lab.org/x", credentials=file), "git.lab.org")["password"] == (
        "ghp_token"
    )


def test_another_host_never_gets_the_token(tmp_path: Path) -> None:
    file = kept(tmp_path / "token", "ghp_token")
    assert "password" not in filled(GitRepository("lab", "https://git.lab.org/x", credentials=file), "evil.org")


def test_secrets_are_in_no_argument_variable_repr_or_error(tmp_path: Path) -> None:
    file = kept(tmp_path / "token", "ghp_canary")
    repository = GitRepository("lab", "https://127.0.0.1:1/x", credentials=file)
    with pytest.raises(Exception, match="cannot be reached") as error:
        Git().refs(repository)
    seen = [*git_arguments(repository), *git_environment(repository, None).values(), repr(repository), str(error.value)]
    assert not any("ghp_canary" in text for text in seen)


def test_ssh_takes_the_given_key_alone_and_asks_nobody(tmp_path: Path) -> None:
    key = kept(tmp_path / "key", "")
    hosts = kept(tmp_path / "hosts", "")
    repository = GitRepository("lab", "git@git.lab.org:a/b.git", ssh_key=key, known_hosts=hosts)
    # ssh itself says what it would do.
    command = git_environment(repository, None)["GIT_SSH_COMMAND"]
    told = subprocess.run(["sh", "-c", f"{command} -G git.lab.org"], capture_output=True, text=True, check=True).stdout
    lines = told.lower().splitlines()
    assert [line for line in lines if line.startswith("identityfile ")] == [f"identityfile {str(key).lower()}"]
    assert {"batchmode yes", "identitiesonly yes", "identityagent none", "stricthostkeychecking true"} <= set(lines)
    assert f"userknownhostsfile {str(hosts).lower()}" in lines


def test_git_sees_none_of_the_services_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_RUNNER_STORE_SECRET_KEY", "s")
    monkeypatch.setenv("GIT_SSH_COMMAND", "touch /tmp/x")
    monkeypatch.setenv("GIT_DIR", "/tmp")
    environment = git_environment(GitRepository("lab", "/srv/lab"), None)
    assert "DARKROOM_RUNNER_STORE_SECRET_KEY" not in environment
    assert "GIT_SSH_COMMAND" not in environment
    assert environment["GIT_DIR"] == "/dev/null"
    assert environment["GIT_ALLOW_PROTOCOL"] == "file"
