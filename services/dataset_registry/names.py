"""The grammars of names that callers give, each with an error that says what would do."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from service_kit.errors import InvalidArgument

_DATASET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}")
_RAW_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_HANDLER = re.compile(r"([a-z0-9][a-z0-9._-]{0,63})/([A-Za-z_][A-Za-z0-9_]{0,63})")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,127}")
_KEY = re.compile(r"[0-9a-f]{6,64}")
# A sha256, or of an imported dataset an md5.
KEY_LENGTHS = (64, 32)
# What a file system and an object store allow for one segment.
MAX_ARCHIVE_NAME = 255
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _checker(pattern: re.Pattern[str], field: str, rule: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise InvalidArgument.of([(field, f"{rule}, not {value[:200]!r}")])
        return value

    check.__doc__ = f"Return the value, or raise `InvalidArgument` for the field {field}: {rule}."
    return check


check_dataset_name = _checker(
    _DATASET_NAME,
    "dataset_name",
    "must begin with a lower-case letter or digit and go on with at most 127 of a-z 0-9 . _ -",
)
check_raw_name = _checker(
    _RAW_NAME, "raw", "a raw dataset's name has letters, digits and . _ - and begins with a letter or digit"
)
check_request_id = _checker(_UUID, "request_id", "must be a UUID")


def check_version(value: str) -> str:
    """Return the version label, or raise `InvalidArgument`: it is a tag, a branch or a commit, as git allows them."""
    if not _VERSION.fullmatch(value) or ".." in value or "//" in value or value.endswith(("/", ".", ".lock")):
        raise InvalidArgument.of(
            [("handler_version", f"must be `latest`, a tag, a branch or a commit, not {value[:200]!r}")]
        )
    return value


check_repository = _checker(
    re.compile(r"[a-z0-9][a-z0-9._-]{0,63}"),
    "repository",
    "must begin with a lower-case letter or digit and go on with at most 63 of a-z 0-9 . _ -",
)


def split_handler(value: str) -> tuple[str, str]:
    """Return (repository, handler) of ``repository/handler``."""
    match = _HANDLER.fullmatch(value)
    if not match:
        raise InvalidArgument.of(
            [("handler", f"must be REPOSITORY/HANDLER, for example stock/inpainting, not {value[:200]!r}")]
        )
    return match[1], match[2]


def request_id(name: str) -> str:
    """Return the id in ``requests/{uuid}``."""
    prefix, _, identity = name.partition("/")
    if prefix != "requests" or not _UUID.fullmatch(identity):
        raise InvalidArgument.of([("name", f"must be requests/UUID, not {name[:200]!r}")])
    return identity.lower()


def key_prefix(name: str) -> str:
    """Return the key, or the beginning of one, in ``datasets/{key}`` or ``{key}``."""
    prefix = name.removeprefix("datasets/")
    if not _KEY.fullmatch(prefix):
        raise InvalidArgument.of(
            [("name", f"must be datasets/KEY with at least 6 of the key's digits 0-9 a-f, not {name[:200]!r}")]
        )
    return prefix


def check_archive_name(dataset_name: str, version: str) -> None:
    """Raise `InvalidArgument` when the two are too long for the archive's name in any store."""
    length = len(archive_name(dataset_name, version, "0" * 64))
    if length > MAX_ARCHIVE_NAME:
        too_long = f"makes with the dataset's name an archive's name of {length} bytes; at most {MAX_ARCHIVE_NAME} fit"
        raise InvalidArgument.of([("handler_version", f"{too_long}; a commit always does")])


def archive_name(dataset_name: str, version: str, key: str) -> str:
    """Return ``{dataset_name}_{version}_{key}.zip`` with the version percent-encoded."""
    return f"{dataset_name}_{quote(version, safe='')}_{key}.zip"
