from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from service_kit.errors import InvalidArgument, NotFound, Unavailable
from service_kit.git import Git, GitRepository

PLENTY = 1 << 20


def run(folder: Path, *words: str) -> str:
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    where = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    done = subprocess.run(["git", "-C", str(folder), *words], env=where | who, capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    folder = tmp_path / "origin"
    folder.mkdir()
    run(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def commit(folder: Path, files: dict[str, str], message: str = "more") -> str:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    run(folder, "add", "--all")
    run(folder, "commit", "--quiet", "--allow-empty", "-m", message)
    return run(folder, "rev-parse", "HEAD")


def exported(origin: Path, tmp_path: Path, identity: str, max_bytes: int = PLENTY) -> Path:
    git, out = Git(), tmp_path / "out"
    git.fetch(GitRepository("lab", str(origin)), identity, tmp_path / "mirror")
    git.export(tmp_path / "mirror", identity, out, max_bytes)
    return out


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_refs_are_branches_and_tags_with_the_commits_that_tags_stand_for(origin: Path, scheme: str) -> None:
    first = commit(origin, {"a.py": "1"})
    run(origin, "tag", "-m", "the first", "v1")
    run(origin, "tag", "light")
    second = commit(origin, {"a.py": "2"})

    refs = Git().refs(GitRepository("lab", f"{scheme}{origin}"))

    assert refs["refs/tags/v1"] == refs["refs/tags/light"] == first
    assert refs["refs/heads/main"] == refs["HEAD"] == second


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/x", "ssh://git@127.0.0.1:1/x", "/nowhere/at/all"])
def test_a_repository_that_cannot_be_reached_is_unavailable_with_gits_reason(url: str) -> None:
    with pytest.raises(Unavailable, match=r"lab cannot be reached: .+"):
        Git().refs(GitRepository("lab", url))


def test_a_commit_is_fetched_alone_and_then_needs_no_server(origin: Path, tmp_path: Path) -> None:
    first = commit(origin, {"a.py": "1"})
    second = commit(origin, {"a.py": "2"})
    git, lab, mirror = Git(), GitRepository("lab", str(origin)), tmp_path / "mirror"

    git.fetch(lab, second, mirror)
    origin.rename(tmp_path / "away")
    git.fetch(lab, second, mirror)

    assert git.has(mirror, second)
    assert not git.has(mirror, first)
    with pytest.raises(Unavailable):
        git.fetch(lab, first, mirror)


def test_a_server_that_gives_no_single_commits_gives_the_whole_repository(
    origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = commit(origin, {"a.py": "1"})
    commit(origin, {"a.py": "2"})
    # The first protocol refuses a commit that no branch or tag ends in.
    (tmp_path / "old").mkdir()
    (tmp_path / "old/git").write_text(f'#!/bin/sh\nexec {shutil.which("git")} -c protocol.version=0 "$@"\n')
    (tmp_path / "old/git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'old'}:{os.environ['PATH']}")
    git, lab, mirror = Git(), GitRepository("lab", str(origin)), tmp_path / "mirror"

    git.fetch(lab, first, mirror)

    assert git.has(mirror, first)
    assert run(mirror, "for-each-ref", "refs/heads/main")


def test_a_commit_that_is_not_there_is_not_found(origin: Path, tmp_path: Path) -> None:
    commit(origin, {"a.py": "1"})
    with pytest.raises(NotFound, match=r"no commit 1{40}"):
        Git().fetch(GitRepository("lab", str(origin)), "1" * 40, tmp_path / "mirror")


def test_of_a_trusted_repository_only_what_a_branch_or_tag_contained_is_taken(origin: Path, tmp_path: Path) -> None:
    git, mirror = Git(), tmp_path / "mirror"
    anybodys, lab = GitRepository("lab", str(origin)), GitRepository("lab", str(origin), trusted=True)
    first = commit(origin, {"a.py": "1"})
    stray = commit(origin, {"a.py": "evil"})
    run(origin, "reset", "--hard", "--quiet", first)
    second = commit(origin, {"a.py": "2"})

    git.fetch(anybodys, stray, mirror)
    with pytest.raises(NotFound, match="no branch or tag of the repository lab contains"):
        git.fetch(lab, stray, mirror)
    git.fetch(lab, first, mirror)
    git.fetch(lab, second, mirror)

    run(origin, "reset", "--hard", "--quiet", first)
    origin.rename(tmp_path / "away")
    git.fetch(lab, second, mirror)


def test_what_a_killed_git_left_behind_is_no_hindrance(origin: Path, tmp_path: Path) -> None:
    first, mirror = commit(origin, {"a.py": "1"}), tmp_path / "mirror"
    git, lab = Git(), GitRepository("lab", str(origin))
    git.fetch(lab, first, mirror)
    (mirror / "shallow.lock").touch()
    second = commit(origin, {"a.py": "2"})

    git.fetch(lab, second, mirror)

    assert git.has(mirror, second)


def test_export_writes_exact_bytes_modes_and_links(origin: Path, tmp_path: Path) -> None:
    (origin / ".gitattributes").write_text("*.txt text eol=crlf\nskipped export-ignore\n*.id ident\n")
    (origin / "run.sh").write_text("#!/bin/sh\n")
    (origin / "run.sh").chmod(0o755)
    (origin / "link").symlink_to("deep/a.txt")
    out = exported(origin, tmp_path, commit(origin, {"deep/a.txt": "a\nb\n", "skipped": "no", "x.id": "$Id$"}))

    assert (out / "deep/a.txt").read_bytes() == b"a\nb\n"
    assert (out / "skipped").read_text() == "no"
    assert (out / "x.id").read_text() == "$Id$"
    assert (out / "link").read_text() == "a\nb\n"
    assert stat.S_IMODE((out / "run.sh").stat().st_mode) == 0o755
    assert not (out / ".git").exists()


@pytest.mark.parametrize(
    "links",
    [
        {"out": "/etc/passwd"},
        {"out": "../../etc/passwd"},
        {"deep/er/root": "../..", "out": "deep/er/root/../secret"},
    ],
)
def test_links_that_lead_out_are_refused_and_leave_nothing(origin: Path, tmp_path: Path, links: dict[str, str]) -> None:
    for name, target in links.items():
        (origin / name).parent.mkdir(parents=True, exist_ok=True)
        (origin / name).symlink_to(target)
    (tmp_path / "secret").write_text("secret")

    with pytest.raises(InvalidArgument, match="leads out of it"):
        exported(origin, tmp_path, commit(origin, {"a.py": "1"}))
    assert not (tmp_path / "out").exists()


def test_export_is_limited_in_bytes_and_files(origin: Path, tmp_path: Path) -> None:
    identity = commit(origin, {"a.py": "1" * 600, "b.py": "2" * 600})
    with pytest.raises(InvalidArgument, match="1200 bytes; at most 1000"):
        exported(origin, tmp_path, identity, max_bytes=1000)
    with pytest.raises(InvalidArgument, match="2 files; at most 1"):
        Git(max_files=1).export(tmp_path / "mirror", identity, tmp_path / "out", PLENTY)


def test_a_pack_over_the_limit_is_refused(origin: Path, tmp_path: Path) -> None:
    (origin / "big.bin").write_bytes(os.urandom(2 << 20))
    identity = commit(origin, {})
    with pytest.raises(Unavailable):
        Git(max_pack_bytes=1 << 20).fetch(GitRepository("lab", str(origin)), identity, tmp_path / "mirror")


def test_submodules_are_empty_folders_and_hooks_never_run(origin: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    run(inner, "init", "--quiet")
    commit(inner, {"x": "y"})
    run(origin, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "sub")
    identity = commit(origin, {"a.py": "1"})
    mark = tmp_path / "mark"
    for name in ("post-checkout", "reference-transaction", "pre-auto-gc", "post-update"):
        hook = origin / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
        hook.chmod(0o755)

    out = exported(origin, tmp_path, identity)

    assert list((out / "sub").iterdir()) == []
    assert not mark.exists()


def test_no_user_configuration_redirects_or_instructs_git(
    origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(origin, {"a.py": "1"})
    mark = tmp_path / "mark"
    (tmp_path / "config").write_text(f'[url "ext::sh -c touch% {mark} #"]\n\tinsteadOf = {origin}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    monkeypatch.setenv("GIT_UPLOAD_PACK", f"touch {mark}")

    assert "HEAD" in Git().refs(GitRepository("lab", str(origin)))
    assert not mark.exists()


@pytest.mark.parametrize("bad", ["--upload-pack=touch x", "main", "", "1" * 39, "1" * 41, "A" * 40, "1" * 40 + "\n"])
def test_only_whole_commits_reach_git(origin: Path, tmp_path: Path, bad: str) -> None:
    with pytest.raises(InvalidArgument, match="is no commit"):
        Git().fetch(GitRepository("lab", str(origin)), bad, tmp_path / "mirror")


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(Unavailable, match="took longer than 1 s"):
            Git(refs_timeout_s=1.0).refs(GitRepository("lab", url))
