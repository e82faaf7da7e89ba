"""What the operating system says about a store's files, and what the store says then."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from service_kit.object_store import StoreFull, StoreRefused, StoreUnavailable
from service_kit.object_store_errors_local import file_errors


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, StoreFull),
        (errno.EDQUOT, StoreFull),
        (errno.EIO, StoreUnavailable),
        (errno.ESTALE, StoreUnavailable),
        (errno.ENOTCONN, StoreUnavailable),
        (errno.ENOENT, StoreUnavailable),
        (errno.EACCES, StoreRefused),
        (errno.EROFS, StoreRefused),
        (errno.ENOTDIR, StoreRefused),
        (errno.EISDIR, StoreRefused),
    ],
)
def test_an_error_of_the_disk_is_an_error_of_the_store(number: int, kind: type[Exception], tmp_path: Path) -> None:
    for error in (OSError(number, os.strerror(number)), OSError(number, os.strerror(number), str(tmp_path / "a"))):
        with pytest.raises(kind, match=f"'a' in {tmp_path}: {os.strerror(number)}"), file_errors(tmp_path, "a"):
            raise error


def test_an_error_with_the_callers_own_file_is_the_callers(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), file_errors(tmp_path, "a"):
        raise OSError(errno.EACCES, "no", "/elsewhere/part")


def test_what_nobody_expects_rises(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too many"), file_errors(tmp_path, "a"):
        raise OSError(errno.EMFILE, "too many")
