"""What Darkroom asks of git: which versions a repository has, one commit of it, and that commit's files."""

from __future__ import annotations

import os
import re
import threading
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from service_kit.errors import InvalidArgument, NotFound, Unavailable
from service_kit.git_process import GitFailed, run_git
from service_kit.git_repository import GitRepository
from service_kit.git_tree import export_tree

__all__ = ["Git", "GitRepository"]

COMMIT = re.compile(r"[0-9a-f]{40}")
_REFS_BYTES = 64 << 20
_PEELED = "^{}"
_VOUCHED = "refs/darkroom/vouched/"
# The server's words for a commit that it does not have, or does not give by its id.
_NOT_GIVEN = ("not our ref", "unadvertised object", "couldn't find remote ref", "no such remote ref")
_BROKEN = ("fsck error", "in packed data", "bad object", "missing blob", "did not receive expected object")
_GONE = re.compile(r"repository '.*' not found|repository not found", re.IGNORECASE)


class Git:
    """Blocking; any thread may call. See `git_process` for what git may not do."""

    def __init__(
        self,
        *,
        refs_timeout_s: float = 20.0,
        fetch_timeout_s: float = 600.0,
        max_pack_bytes: int = 4 << 30,
        max_files: int = 100_000,
    ) -> None:
        self._refs_timeout_s = refs_timeout_s
        self._fetch_timeout_s = fetch_timeout_s
        self._max_pack_bytes = max_pack_bytes
        self._max_files = max_files
        self._mirrors: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)

    def refs(self, repository: GitRepository) -> Mapping[str, str]:
        """Return ``HEAD``, branches (``refs/heads/...``) and tags (``refs/tags/...``) with their commits.

        Raises `Unavailable` when the repository cannot be reached, `NotFound` when the server says there is none.
        """
        words = ("ls-remote", "--quiet", *_upload_pack(repository), "--", repository.url)
        try:
            printed = run_git(
                *words,
                "HEAD",
                "refs/heads/*",
                "refs/tags/*",
                repository=repository,
                timeout_s=self._refs_timeout_s,
                max_file_bytes=_REFS_BYTES,
            )
        except GitFailed as error:
            raise _unreached(repository, error) from error
        refs: dict[str, str] = {}
        for line in printed.decode(errors="replace").splitlines():
            commit, _, name = line.partition("\t")
            # A tag's object comes first, then the commit that it stands for.
            if COMMIT.fullmatch(commit):
                refs[name.removesuffix(_PEELED)] = commit
        return refs

    def fetch(self, repository: GitRepository, commit: str, mirror: Path) -> None:
        """Have the commit in the bare ``mirror``, which is made if it is missing; no call to the server if it is there.

        Takes that commit alone, or the whole repository from a server that gives no single commits. Of a trusted
        repository only what a branch or tag contains: hosting sites also hand out, under its URL, what strangers pushed
        to their forks. Raises `Unavailable`, `NotFound` for a commit that the repository does not have,
        `InvalidArgument`.
        """
        _check_commit(commit)
        mirror = mirror.absolute()
        with self._mirrors[mirror]:
            if self.has(mirror, commit) and (not repository.trusted or self._vouched_for(mirror, commit)):
                return
            _remove_leftovers(mirror)
            if not (mirror / "HEAD").exists():
                mirror.parent.mkdir(parents=True, exist_ok=True)
                self._local(mirror, "init", "--quiet", "--bare", "--template=", os.fspath(mirror))
            if repository.trusted:
                self._fetch_whole(repository, mirror)
                self._vouch_for(repository, mirror, commit)
                return
            try:
                self._fetch(repository, mirror, "--depth=1", refspecs=(f"+{commit}:refs/darkroom/{commit}",))
            except GitFailed as error:
                if not any(words in str(error) for words in _NOT_GIVEN):
                    raise _unreached(repository, error) from error
                self._fetch_whole(repository, mirror)
            if not self.has(mirror, commit):
                raise NotFound(f"the repository {repository.name} has no commit {commit}")

    def has(self, mirror: Path, commit: str) -> bool:
        """Whether the mirror holds the commit."""
        _check_commit(commit)
        if not (mirror / "HEAD").exists():
            return False
        try:
            self._local(mirror.absolute(), "cat-file", "-e", f"{commit}^{{commit}}")
        except GitFailed:
            return False
        return True

    def export(self, mirror: Path, commit: str, folder: Path, max_bytes: int) -> None:
        """Write the commit's files into the new ``folder``; submodules become empty folders.

        Raises `InvalidArgument` for links that lead out of it and for more files or bytes than allowed, `NotFound`
        for a commit that is not in the mirror.
        """
        if not self.has(mirror, commit):
            raise NotFound(f"the mirror {mirror.name} has no commit {commit}")
        export_tree(
            mirror.absolute(),
            commit,
            folder,
            max_bytes=max_bytes,
            max_files=self._max_files,
            timeout_s=self._fetch_timeout_s,
        )

    def _vouched_for(self, mirror: Path, commit: str) -> bool:
        """Whether a branch or tag contained the commit once; it stays good when that moves on."""
        return bool(self._local(mirror, "for-each-ref", f"{_VOUCHED}{commit}"))

    def _vouch_for(self, repository: GitRepository, mirror: Path, commit: str) -> None:
        contained = self.has(mirror, commit) and self._local(
            mirror, "for-each-ref", "--count=1", f"--contains={commit}", "refs/heads", "refs/tags"
        )
        if not contained:
            raise NotFound(
                f"no branch or tag of the repository {repository.name} contains the commit {commit}; of a trusted "
                "repository others are not run, as anybody could have pushed them to a fork"
            )
        self._local(mirror, "update-ref", f"{_VOUCHED}{commit}", commit)

    def _fetch_whole(self, repository: GitRepository, mirror: Path) -> None:
        whole = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        unshallow = ("--unshallow",) if (mirror / "shallow").exists() else ()
        try:
            self._fetch(repository, mirror, "--prune", *unshallow, refspecs=whole)
        except GitFailed as error:
            raise _unreached(repository, error) from error

    def _fetch(self, repository: GitRepository, mirror: Path, *options: str, refspecs: tuple[str, ...]) -> None:
        run_git(
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-write-fetch-head",
            *options,
            *_upload_pack(repository),
            "--",
            repository.url,
            *refspecs,
            repository=repository,
            mirror=mirror,
            timeout_s=self._fetch_timeout_s,
            max_file_bytes=self._max_pack_bytes,
        )

    def _local(self, mirror: Path, *words: str) -> bytes:
        return run_git(*words, mirror=mirror, timeout_s=self._refs_timeout_s, max_file_bytes=_REFS_BYTES)


def _check_commit(commit: str) -> None:
    if not COMMIT.fullmatch(commit):
        raise InvalidArgument(f"{commit[:80]!r} is no commit: 40 digits of 0-9 a-f are one")


def _remove_leftovers(mirror: Path) -> None:
    """Remove what a git that was killed left in a mirror, which nobody else writes to."""
    for pattern in ("*.lock", "refs/**/*.lock", "objects/pack/tmp_*"):
        for path in mirror.glob(pattern):
            path.unlink(missing_ok=True)


def _upload_pack(repository: GitRepository) -> tuple[str, ...]:
    """Let git read a folder of another user's: the operator named it, and reading runs nothing that lies in it."""
    return ("--upload-pack=git -c safe.directory=* upload-pack",) if repository.protocol == "file" else ()


def _unreached(repository: GitRepository, error: GitFailed) -> Unavailable | NotFound | InvalidArgument:
    text = str(error)
    if any(words in text for words in _BROKEN):
        return InvalidArgument(f"the repository {repository.name} holds broken objects: {text}")
    if repository.protocol != "file" and _GONE.search(text):
        return NotFound(f"there is no git repository {repository.name} at its URL, or it is private: {text}")
    return Unavailable(f"the repository {repository.name} cannot be reached: {text}")
