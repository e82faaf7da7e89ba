"""Takes the files that a confined child has made out of its folder, before anything here reads them.

The child goes on running and may put links or other files in a file's place at any moment, so a file is first moved to
where the child cannot reach, by names relative to opened folders, no link followed; only then it is looked at.
"""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from handler_runner.executor import Command, CommandFailed
from handler_runner.remove_tree import remove_tree

_NAME_CHARACTERS = 60
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_numbers = itertools.count()


class ConfinedOutputs:
    """The output of one command: asked for inside the child's folder, taken to where the command wanted it."""

    def __init__(self, command: Command, folder: Path) -> None:
        """``folder`` is the child's; what an earlier command left there under the same name is in nobody's way."""
        self._folder = folder
        self._field = next((field for field in ("output", "output_dir") if field in command), "")
        self._wanted = Path(command[self._field]) if self._field else Path()
        self._inside = f"{next(_numbers)}-{self._wanted.name}"
        self.command: Command = command
        if self._field:
            self.command = {**command, self._field: str(folder / self._inside)}

    def take(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """Move what the child made, and return the result with the new names. Blocking. Raises `CommandFailed`."""
        if self._field == "output":
            with _opened(self._folder) as folder:
                _take_file(folder, self._inside, self._wanted, self._wanted.name)
        elif self._field == "output_dir":
            return {**result, "files": [self._take_listed(*each) for each in enumerate(result.get("files") or [])]}
        return dict(result)

    def _take_listed(self, number: int, file: Mapping[str, Any]) -> dict[str, Any]:
        path = Path(str(file["path"]))
        root = self._folder / self._inside
        inside = path.relative_to(root) if path.is_relative_to(root) else path
        if inside.is_absolute() or ".." in inside.parts or not inside.name:
            raise _no_file(str(path))
        taken = f"{number:06}-{inside.name[-_NAME_CHARACTERS:]}"
        with _opened(self._folder, self._inside, *inside.parts[:-1]) as folder:
            _take_file(folder, inside.name, self._wanted / taken, str(inside))
        return {**file, "path": taken}


@contextmanager
def _opened(folder: Path, *below: str) -> Iterator[int]:
    descriptor = os.open(folder, _FOLDER)
    try:
        for name in below:
            try:
                deeper = os.open(name, _FOLDER, dir_fd=descriptor)
            except OSError:
                raise _no_file("/".join(below)) from None
            os.close(descriptor)
            descriptor = deeper
        yield descriptor
    finally:
        os.close(descriptor)


def _take_file(folder: int, name: str, target: Path, said: str) -> None:
    try:
        os.rename(name, target, src_dir_fd=folder)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, ValueError):
        raise _no_file(said) from None
    if not stat.S_ISREG(os.lstat(target).st_mode):
        remove_tree(target) if target.is_dir() and not target.is_symlink() else target.unlink()
        raise _no_file(said)
    target.chmod(0o600)


def _no_file(said: str) -> CommandFailed:
    message = f"the handler's output {said!r} is no file below the folder that it was given"
    return CommandFailed({"class": "HANDLER_ERROR", "message": message})
