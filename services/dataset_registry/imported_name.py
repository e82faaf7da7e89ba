"""Reads the name that the original system gave an archive: ``{dataset_name}_{handler_version}_{md5}.zip``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dataset_registry import names
from service_kit.errors import InvalidArgument

# Old names may have capitals; the version is what stands behind the last underscore but one.
_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,127})_([^_/\\]{1,128})_([0-9a-f]{32})\.zip")


@dataclass(frozen=True)
class ImportedName:
    """What an archive's name says; the key is its md5, 32 hex digits."""

    file_name: str
    dataset_name: str
    version: str
    key: str

    @classmethod
    def of(cls, file_name: str) -> ImportedName:
        """Return what the name says. Raises `InvalidArgument`."""
        match = _NAME.fullmatch(file_name)
        if not match:
            raise InvalidArgument.of(
                [
                    (
                        "file_name",
                        "must be DATASET_VERSION_MD5.zip as the original system names its archives, the md5 in 32 "
                        f"lower-case hex digits, not {file_name[:200]!r}",
                    )
                ]
            )
        dataset_name, version, key = match.groups()
        names.check_version(version)
        names.check_archive_name(dataset_name, version)
        return cls(file_name, dataset_name, version, key)
