"""Reads the name that the original system gave an archive: ``{dataset_name}_{handler_version}_{md5}.zip``.

Both parts may hold underscores, so where the name ends must be guessed: at a dataset that is defined here, else before
what looks like a version, else at the last underscore. Who knows better writes ``%5F`` for those of the version.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from dataset_registry import names
from service_kit.errors import InvalidArgument

_NAME = re.compile(r"([A-Za-z0-9][^/\\]{2,256})_([0-9a-f]{32})\.zip")
# Old names may have capitals.
_DATASET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_PART = re.compile(r"(?<=.)_(?=.)")
_WRITTEN = "%5F"
_VERSION = re.compile(
    r"""
    (?: v\d+(?:[._]\d+)*           # v1_2, v1.2.0
      | \d+(?:\.\d+)+(?:_\d+)*     # 1.2_3
      | \d{1,2}(?:_\d{1,2})+ )      # 1_2_0, but not 365_1: that number most likely is the dataset's
    (?:[._-]?(?:rc|alpha|beta|dev|post|final|a|b)[._]?\d*)*
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class ImportedName:
    """What an archive's name says; the key is its md5, 32 hex digits."""

    file_name: str
    dataset_name: str
    version: str
    key: str

    @classmethod
    def of(cls, file_name: str, defined: Collection[str] = ()) -> ImportedName:
        """Return what the name says, where those datasets are defined. Raises `InvalidArgument`."""
        match = _NAME.fullmatch(file_name)
        readings = possible_readings(match[1]) if match else []
        if not match or not readings:
            raise InvalidArgument.of(
                [
                    (
                        "file_name",
                        "must be DATASET_VERSION_MD5.zip as the original system names its archives, the md5 in 32 "
                        f"lower-case hex digits, not {file_name[:200]!r}",
                    )
                ]
            )
        dataset_name, version = _likeliest(readings, defined)
        names.check_version(version)
        names.check_archive_name(dataset_name, version)
        return cls(file_name.replace(_WRITTEN, "_"), dataset_name, version, match[2])


def possible_readings(text: str) -> list[tuple[str, str]]:
    """Return each (dataset name, version) that the name's two parts may be, the shortest dataset name first."""
    cuts = [match.start() for match in _PART.finditer(text)]
    readings = [(text[:cut], text[cut + 1 :].replace(_WRITTEN, "_")) for cut in cuts]
    return [reading for reading in readings if _DATASET_NAME.fullmatch(reading[0])]


def _likeliest(readings: list[tuple[str, str]], defined: Collection[str]) -> tuple[str, str]:
    known = [reading for reading in readings if reading[0] in defined]
    if known:
        return known[-1]
    return next((reading for reading in readings if _VERSION.fullmatch(reading[1])), readings[-1])
