"""The digest of the sources changes with them, and only with them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import dataset_handlers
from dataset_handlers.source import source_digest


def digest_of(folder: Path) -> str:
    script = "import dataset_handlers; print(dataset_handlers.source_digest())"
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); {script}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_digest_follows_the_sources(tmp_path: Path) -> None:
    copy = tmp_path / "dataset_handlers"
    shutil.copytree(Path(dataset_handlers.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert digest_of(tmp_path) == source_digest()
    (copy / "README.md").write_text("other words")
    assert digest_of(tmp_path) == source_digest()
    (copy / "masks.py").write_text((copy / "masks.py").read_text() + "\n")
    changed = digest_of(tmp_path)
    assert changed != source_digest()
    (copy / "masks.py").rename(copy / "masks_.py")
    assert digest_of(tmp_path) != changed
