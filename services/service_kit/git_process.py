"""Runs git so that neither a URL, a repository nor this machine's configuration can make it do anything else.

No hooks, submodules, large-file filters, prompts, user or system configuration; one protocol; limits on time and on the
size of each file it writes. Secrets travel in files that git or ssh reads itself, never in an argument.
"""

from __future__ import annotations

import atexit
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from service_kit.errors import Unavailable
from service_kit.git_repository import GitRepository, without_secrets

# What git may take from the service's own environment: how to reach the network, and its programs.
_PASSED = (
    "PATH",
    "http_proxy",
    "https_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "TMPDIR",
)
_ALWAYS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "transfer.fsckObjects=true",
    "fetch.fsckObjects=true",
    # Blemishes of old, honest histories that harm nothing.
    "fetch.fsck.badTimezone=ignore",
    "fetch.fsck.missingSpaceBeforeDate=ignore",
    "fetch.fsck.zeroPaddedFilemode=ignore",
    "gc.auto=0",
    "maintenance.auto=false",
    "credential.helper=",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
)
# Only `get`: git would have `store` drop the operator's line when a server refuses it.
_FROM_STORE = '!f() { test "$1" = get && git credential-store --file="$DARKROOM_GIT_CREDENTIALS" get; }; f'
_FROM_TOKEN = (
    '!f() { test "$1" = get || return 0; IFS= read -r line < "$DARKROOM_GIT_CREDENTIALS"; case "$line" in '
    '*:*) echo "username=${line%%:*}"; echo "password=${line#*:}";; '
    '*) echo username=token; echo "password=$line";; esac; }; f'
)
# How lines begin that give a reason, and what ssh says without such a beginning.
_TELLING = ("fatal:", "error:", "remote:", "ssh:")
_SSH_SAYS = ("Permission denied", "Host key verification failed", "Too many authentication failures")
_BLOCK_BYTES = 512
_RUNNING: set[subprocess.Popen[bytes]] = set()


class GitFailed(Exception):
    """git ended with an error; the message is its own words without secrets."""


def git_arguments(repository: GitRepository | None) -> list[str]:
    """Return ``git`` and the options that every call gets."""
    settings = [*_ALWAYS]
    if repository is not None and repository.credentials is not None:
        helper = _FROM_STORE if _is_store(repository.credentials) else _FROM_TOKEN
        # For this host only: a redirect elsewhere must not take the token along.
        host = "/".join(repository.url.split("/")[:3])
        settings.append(f"credential.{host}.helper={helper}")
    return ["git", "--no-pager", *(word for setting in settings for word in ("-c", setting))]


def git_environment(repository: GitRepository | None, mirror: Path | None) -> dict[str, str]:
    """Return git's whole environment."""
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    environment |= {
        "LC_ALL": "C",
        "HOME": "/nonexistent",
        "GIT_DIR": str(mirror) if mirror else os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        # Nothing at all where no repository is named: local commands reach no other.
        "GIT_ALLOW_PROTOCOL": repository.protocol if repository else "none",
    }
    if repository is not None and repository.protocol == "ssh":
        environment["GIT_SSH_COMMAND"] = shlex.join(_ssh(repository))
        environment["GIT_SSH_VARIANT"] = "ssh"
    if repository is not None and repository.ca is not None:
        environment["GIT_SSL_CAINFO"] = str(repository.ca.absolute())
    if repository is not None and repository.credentials is not None:
        environment["DARKROOM_GIT_CREDENTIALS"] = str(repository.credentials.absolute())
    return environment


def run_git(
    *words: str,
    repository: GitRepository | None = None,
    mirror: Path | None = None,
    timeout_s: float,
    max_file_bytes: int,
) -> bytes:
    """Return what git prints.

    Raises `GitFailed`, or `Unavailable` when it took longer than ``timeout_s`` or is not installed.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = start_git(
            words, repository=repository, mirror=mirror, max_file_bytes=max_file_bytes, stdout=out, stderr=err
        )
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            name = repository.name if repository else "a mirror"
            raise Unavailable(f"git {words[0]} of {name} took longer than {timeout_s:g} s") from None
        finally:
            kill_group(process)
        if code:
            raise GitFailed(_last_words(err, code, repository, max_file_bytes))
        out.seek(0)
        return out.read()


def start_git(
    words: Sequence[str],
    *,
    repository: GitRepository | None = None,
    mirror: Path | None = None,
    max_file_bytes: int,
    stdout: int | IO[bytes],
    stderr: int | IO[bytes],
    stdin: int | IO[bytes] = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start git as the head of a process group of its own, which `kill_group` ends."""
    # The shell's limit binds whatever git starts, too, and needs no code between fork and exec.
    limited = ["sh", "-c", 'ulimit -f "$0" && exec "$@"', str(max(max_file_bytes // _BLOCK_BYTES, 1))]
    try:
        process = subprocess.Popen(
            [*limited, *git_arguments(repository), *words],
            env=git_environment(repository, mirror),
            cwd="/",
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    except OSError as error:
        raise Unavailable(f"git cannot be started: {error.strerror}") from error
    _RUNNING.add(process)
    return process


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End git and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    _RUNNING.discard(process)


@atexit.register
def _kill_all() -> None:
    """Leave no git behind when the service ends in the middle of a call."""
    for process in list(_RUNNING):
        kill_group(process)


def _ssh(repository: GitRepository) -> list[str]:
    # /dev/null as key: without one of its own it takes neither the user's keys nor an agent's.
    options = [
        f"IdentityFile={repository.ssh_key.absolute() if repository.ssh_key else os.devnull}",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "BatchMode=yes",
        "ConnectTimeout=15",
        "StrictHostKeyChecking=yes",
        "PermitLocalCommand=no",
        "ProxyCommand=none",
        "ForwardAgent=no",
        "ClearAllForwardings=yes",
    ]
    if repository.known_hosts:
        options.append(f"UserKnownHostsFile={repository.known_hosts.absolute()}")
    return ["ssh", "-F", os.devnull, *(word for option in options for word in ("-o", option))]


def _is_store(credentials: Path) -> bool:
    try:
        with credentials.open("rb") as file:
            return file.read(8) == b"https://"
    except OSError as error:
        raise Unavailable(f"the credentials file {credentials} cannot be read: {error.strerror}") from error


def _last_words(err: IO[bytes], code: int, repository: GitRepository | None, max_file_bytes: int) -> str:
    if code in (-signal.SIGXFSZ, 128 + signal.SIGXFSZ):
        return f"it is larger than {max_file_bytes} bytes, which is the limit"
    err.seek(0)
    lines = [line.strip() for line in err.read(64 * 1024).decode(errors="replace").splitlines() if line.strip()]
    # ssh's and the server's reasons come first, git's general advice last.
    telling = [
        line for line in lines if line.startswith(_TELLING) or any(words in line for words in _SSH_SAYS)
    ] or lines
    text = "; ".join(dict.fromkeys(telling[:3])) or f"git ended with {code}"
    secret = _secret(repository)
    return without_secrets(text.replace(secret, "…") if secret else text)[:500]


def _secret(repository: GitRepository | None) -> str:
    if repository is None or repository.credentials is None:
        return ""
    try:
        return repository.credentials.read_text(errors="replace").strip().rpartition(":")[2].partition("@")[0]
    except OSError:
        return ""
