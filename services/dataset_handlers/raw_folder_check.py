"""Checks what a handler does with its raw folders: it only reads them, and skips a photo that is damaged."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple, Type

from dataset_handlers.handler_class import make_handler, name_of, roles_of
from dataset_handlers.handler_fault import require
from dataset_handlers.planning import list_samples
from dataset_handlers.sample import Sample
from dataset_handlers.shard_writer import write_shard

_COPY_LIMIT_BYTES = 256 << 20
_STAT_LIMIT = 10_000


def folders_by_role(handler_class: Type[Any], raw: Any) -> Dict[str, str]:
    """Returns a folder for each role; ``raw`` is such a mapping, or the only role's folder."""
    roles = roles_of(handler_class)
    given = raw if isinstance(raw, Mapping) else dict.fromkeys(roles[:1], raw)
    folders = {role: os.fspath(folder) for role, folder in given.items()}
    require(
        set(roles) <= set(folders),
        f"the roles of {name_of(handler_class)} are {', '.join(roles)}; a folder for each would do: "
        "check_handler(..., {" + ", ".join(f"{role!r}: folder" for role in roles) + "})",
    )
    for role, folder in folders.items():
        require(os.path.isdir(folder), f"the raw folder {folder} (role {role!r}) is not there")
    return folders


def file_stats(folders: Mapping[str, str]) -> Dict[str, Tuple[int, int]]:
    """Returns what each raw file is now, as far as there are not too many to ask."""
    files = (path for folder in folders.values() for path in Path(folder).rglob("*") if path.is_file())
    return {
        str(path): (stat.st_size, stat.st_mtime_ns)
        for path in itertools.islice(files, _STAT_LIMIT)
        for stat in [path.stat()]
    }


def check_corrupt_photo(
    handler_class: Type[Any], config: Mapping[str, Any], folders: Mapping[str, str], samples: Sequence[Sample]
) -> List[str]:
    """Builds a sample of whose photo half is left; returns what could not be checked, and why."""
    found = [
        (role, sample)
        for sample in samples
        for role, folder in folders.items()
        if os.path.isfile(os.path.join(folder, sample.photo))
    ]
    if not found:
        return ["a corrupt photo: no sample names its source file"]
    size_bytes = sum(path.stat().st_size for folder in folders.values() for path in Path(folder).rglob("*"))
    if size_bytes > _COPY_LIMIT_BYTES:
        return [f"a corrupt photo: {size_bytes} bytes of raw data are too many to copy; a smaller folder would do"]
    role, sample = found[0]
    with tempfile.TemporaryDirectory() as scratch:
        copies = {role: os.path.join(scratch, role) for role in folders}
        for name, folder in folders.items():
            shutil.copytree(folder, copies[name], symlinks=True)
        victim = Path(copies[role], sample.photo)
        whole = victim.read_bytes()
        victim.unlink()
        victim.write_bytes(whole[: len(whole) // 2])
        handler = make_handler(handler_class, config, copies)
        members = [member for listed in list_samples(handler).values() for member in listed]
        affected = [member for member in members if member.id == sample.id]
        result = write_shard(handler, affected, Path(scratch, "corrupt.tfrecord"))
    require(
        not affected or [skip.path for skip in result.skipped] == [sample.photo],
        f"half of {sample.photo!r} was taken for a whole photo; read it with read_image(), or raise BadRawRecord",
    )
    return []
