"""A lab's git repository of handlers, in a folder, that tests move about."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from dataset_registry.records import Runner, Work

from .conftest import DESCRIPTION, RUNNER, House

LOCK = "# python 3.11\nnumpy==1.26.4 --hash=sha256:aa\n"
LAB_RUNNER = replace(
    RUNNER, repositories=[*RUNNER.repositories, {"name": "lab", "commit": "", "version": "", "refusal": ""}]
)
REFUSING = replace(
    LAB_RUNNER,
    repositories=[
        *RUNNER.repositories,
        {"name": "lab", "commit": "", "version": "", "refusal": "its sandbox is none: no bwrap; install bubblewrap"},
    ],
)


class Lab:
    """A git repository with a working tree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.run("init", "--quiet", "--initial-branch=main")

    def run(self, *words: str) -> str:
        who = {f"GIT_{role}_{what}": "anna@lab" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        where = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
        done = subprocess.run(["git", "-C", str(self.folder), *words], env=where | who, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def away(self) -> None:
        """Take the repository from where it is."""
        self.folder.rename(self.folder.with_name("lab-away"))

    def back(self) -> None:
        """Put it back."""
        self.folder.with_name("lab-away").rename(self.folder)

    def commit(self, *tags: str, text: str = "") -> str:
        """Commit something new and return its id."""
        (self.folder / "handlers.py").write_text(text or os.urandom(8).hex())
        self.run("add", "--all")
        self.run("commit", "--quiet", "-m", "more")
        for tag in tags:
            self.run("tag", "--force", tag)
        return self.run("rev-parse", "HEAD")


def described(lock: str = LOCK, **changes: Any) -> dict[str, Any]:
    """Return what a runner's environment declares."""
    return {**DESCRIPTION, "lock": lock, "lock_digest": hashlib.sha256(lock.encode()).hexdigest(), **changes}


async def describe(house: House, lock: str = LOCK, runner: Runner = LAB_RUNNER) -> Work:
    """Do the next work on an environment of the lab's, as a runner would."""
    while True:
        work = await house.claim(runner, "ENVIRONMENT")
        repository = work.task["repository"]
        result = {"description": described(lock) if repository == "lab" else DESCRIPTION}
        await house.dispatch.finish(f"work/{work.id}", work.fence, result)
        if repository == "lab":
            return work


async def define(house: House) -> None:
    """Have a runner call, and define `edges` by a handler of the lab's."""
    await house.dispatch.claim(LAB_RUNNER, ["PREVIEW"], 0.0)
    await house.keeping.define("edges", "lab/inpainting", {"photos": "street"})
