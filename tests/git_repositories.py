"""Real git repositories for tests, in a folder."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path


class Repository:
    """A repository with a working tree."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit = self.change(files)

    @property
    def url(self) -> str:
        return str(self.folder)

    def change(self, files: Mapping[str, str], *tags: str) -> str:
        """Commit files, tag the commit, and return it."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=change")
        for tag in tags:
            self.git("tag", "--force", tag)
        self.commit = self.git("rev-parse", "HEAD")
        return self.commit

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=Anna", "-c", "user.email=anna@example.org")
        done = subprocess.run(["git", *who, *words], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()
