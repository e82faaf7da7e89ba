"""Writes a handler's repository that works at once: a handler, its test, its metadata, and a first commit."""

from __future__ import annotations

import keyword
import re
import shlex
import shutil
import subprocess
from importlib import resources
from pathlib import Path

from darkroom_client.errors import AlreadyExists, FailedPrecondition, InvalidArgument

GIT_TIMEOUT_S = 60.0
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
# With the module and the class that are named after it, one of these would hide what the handler imports.
_TAKEN = {"dataset", "template", "test"}

# Each file of the template, and where it goes.
_FILES = {
    "handler.py.in": "{module}.py",
    "test_handler.py.in": "tests/test_{name}.py",
    "pyproject.toml.in": "pyproject.toml",
    "README.md.in": "README.md",
    "gitignore.in": ".gitignore",
}


def handler_name(folder: Path, name: str | None) -> str:
    """Return the handler's name: the one that was given, else the folder's. Raises `InvalidArgument`."""
    chosen = name if name is not None else re.sub(r"[^a-z0-9]+", "_", folder.name.lower()).strip("_")
    if not _NAME.fullmatch(chosen) or keyword.iskeyword(chosen) or chosen in _TAKEN:
        given = f"--name {name}" if name is not None else f"the folder's name {folder.name!r}"
        raise InvalidArgument(
            f"{given} names no handler: a lower-case letter, then letters, digits and _, and none of "
            f"{', '.join(sorted(_TAKEN))}; --name edges would do"
        )
    return chosen


def repository_name(folder: Path) -> str:
    """Return what the repository may be called in `darkroom up --repository`, after its folder."""
    return re.sub(r"[^a-z0-9._-]+", "-", folder.name.lower()).strip("-._") or "mine"


def write_repository(folder: Path, name: str) -> list[str]:
    """Write the repository into ``folder``, commit it, and return its files.

    Raises `AlreadyExists` for a folder that holds something, and `FailedPrecondition` without git; then nothing is
    written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AlreadyExists(f"{folder} is there already and is not empty; another folder would do")
    if shutil.which("git") is None:
        raise FailedPrecondition("git is not installed here; a handler's versions are git's, so it is needed")
    words = {
        "template_repository": repository_name(folder),
        "template_name": name,
        "template_module": f"{name}_handler",
        "template-distribution": f"{name.replace('_', '-')}-handler",
        "TemplateClass": "".join(part.capitalize() for part in name.split("_")) + "Handler",
    }
    template = resources.files("darkroom_client") / "handler_template"
    written = []
    for source, target in _FILES.items():
        text = (template / source).read_text(encoding="utf-8")
        for placeholder, word in words.items():
            text = text.replace(placeholder, word)
        path = folder / target.format(name=name, module=words["template_module"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path.relative_to(folder).as_posix())
    _commit(folder)
    return sorted(written)


def next_commands(folder: Path, name: str) -> list[str]:
    """Return what to type next, from looking at the first sheet to training; what is in capitals is the reader's."""
    repository, shown = repository_name(folder.absolute()), shlex.quote(str(folder))
    return [
        f"darkroom handler try {shown} --raw photos=PHOTOS/street -o sheet.png",
        f"python -m pytest {shown}",
        f"git -C {shown} tag v1",
        f"darkroom up --raw PHOTOS --repository {repository}={shown}",
        f"darkroom define {name} --handler {repository}/{name} --raw photos=street",
        f"darkroom request {name} v1 -- python train.py",
    ]


def _commit(folder: Path) -> None:
    _git(folder, "init", "--quiet")
    # Whatever this machine calls its first branch.
    _git(folder, "symbolic-ref", "HEAD", "refs/heads/main")
    _git(folder, "add", "--all")
    known = all(_run(folder, "config", key).stdout.strip() for key in ("user.name", "user.email"))
    author = [] if known else ["-c", "user.name=darkroom", "-c", "user.email=darkroom@localhost"]
    # A signature would ask for a password, a hook of the machine's may be about other projects.
    options = [*author, "-c", "commit.gpgSign=false", "-c", f"core.hooksPath={folder / '.git' / 'no-hooks'}"]
    _git(folder, *options, "commit", "--quiet", "--message", "Begin with a handler that makes outlines")


def _git(folder: Path, *arguments: str) -> None:
    done = _run(folder, *arguments)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        raise FailedPrecondition(f"git {arguments[0]} in {folder} failed: {last}")


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=GIT_TIMEOUT_S,
        check=False,
    )
