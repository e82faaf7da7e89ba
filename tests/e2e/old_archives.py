"""Archives as the original system left them: TFRecord files at any level of a zip file, and nothing else."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dataset_handlers.example import encode_example
from dataset_handlers.tfrecord import write_record

Examples = Sequence[Mapping[str, Any]]


def tfrecords(examples: Examples) -> bytes:
    """Return a TFRecord file's bytes."""
    file = io.BytesIO()
    for example in examples:
        write_record(file, encode_example(example))
    return file.getvalue()


def old_name(dataset_name: str = "street", version: str = "1.2.0", config: str = "{}") -> str:
    """Return the name that the original system would have given an archive."""
    return f"{dataset_name}_{version}_{hashlib.md5(config.encode()).hexdigest()}.zip"


def write_old_archive(
    folder: Path, files: Mapping[str, bytes], name: str | None = None, method: int = zipfile.ZIP_DEFLATED
) -> Path:
    """Write an archive of these files and return its path."""
    path = folder / (name or old_name())
    with zipfile.ZipFile(path, "w", method) as archive:
        for member, content in files.items():
            archive.writestr(member, content)
    return path
