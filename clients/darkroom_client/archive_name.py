"""The name of an archive of the original system, ``DATASET_VERSION_MD5.zip``, with its version made plain."""

from __future__ import annotations

from darkroom_client.errors import InvalidArgument


def with_version(name: str, version: str) -> str:
    """Return the name so written that a registry reads this version in it. Raises `InvalidArgument`."""
    begin, _, end = name.rpartition("_")
    if not begin.endswith(f"_{version}") or begin == f"_{version}":
        raise InvalidArgument(f"{name!r} does not have _{version}_ before its md5; a version that it has would do")
    return f"{begin.removesuffix(version)}{version.replace('_', '%5F')}_{end}"
