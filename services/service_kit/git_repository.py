"""A git repository as an operator names it: a URL of a kind that can run nothing, and the files with its secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]+\])"
_PORT = r"(?::[0-9]{1,5})?"
_PATH = r"[A-Za-z0-9._~%+@=,/-]+"
_HTTPS = re.compile(rf"https://{_HOST}{_PORT}/{_PATH}")
_SSH = re.compile(rf"ssh://(?:[A-Za-z0-9_][A-Za-z0-9._-]*@)?{_HOST}{_PORT}/{_PATH}")
# git@host:path, as hosting sites show it.
_SCP = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9._-]*@{_HOST}:(?!-){_PATH}")
_FILE = re.compile(r"(?:file://)?/[^\x00-\x1f]+")
_SECRET = re.compile(r"(?<=//)[^/@\s]+@")


@dataclass(frozen=True)
class GitRepository:
    """Where a repository is, and how to be let in.

    ``ssh_key`` and ``known_hosts`` are for ssh; for https are ``credentials``, a file in git's own store format, or one
    with a token, or ``user:token``, alone, and ``ca``, the certificates to believe in place of the system's.
    ``trusted`` code runs as the runner does, other code in the sandbox only.
    Raises `ValueError` saying what would do.
    """

    name: str
    url: str
    trusted: bool = False
    ssh_key: Path | None = None
    credentials: Path | None = None
    known_hosts: Path | None = None
    ca: Path | None = None

    def __post_init__(self) -> None:
        check_git_url(self.url)

    @property
    def protocol(self) -> str:
        """The one protocol that git may use for it: ``https``, ``ssh`` or ``file``."""
        return git_protocol(self.url)


def check_git_url(url: str) -> str:
    """Return the URL; raises `ValueError` unless it is https, ssh or a folder, without a secret in it."""
    if url.startswith(("http://", "https://")) and "@" in url.split("/")[2:3][0]:
        raise ValueError("must hold no user or password; put them into a file, and name that as `credentials`")
    if not any(pattern.fullmatch(url) for pattern in (_HTTPS, _SSH, _SCP, _FILE)):
        raise ValueError(
            "must be https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH, or a folder /PATH or file:///PATH, "
            f"not {without_secrets(url)[:200]!r}"
        )
    return url


def git_protocol(url: str) -> str:
    """Return the protocol of a URL that was checked."""
    if url.startswith("https://"):
        return "https"
    return "file" if url.startswith(("/", "file://")) else "ssh"


def without_secrets(text: str) -> str:
    """Return the text without the users and passwords of URLs in it."""
    return _SECRET.sub("", text)
