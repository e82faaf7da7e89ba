"""A wheel that was built from source: foreign bytes, so looked at before anything is made of them."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass, replace
from email.parser import BytesHeaderParser
from pathlib import Path

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from handler_runner.environment_failed import failed
from handler_runner.environment_lock import BuiltPackage
from handler_runner.kept_folders import Held

_METADATA_BYTES = 1 << 20


@dataclass(frozen=True)
class BuiltWheel:
    """``requires`` are the lines of its metadata; its file lies as long as it is ``held``."""

    package: BuiltPackage
    path: Path
    requires: tuple[str, ...]
    held: Held

    @classmethod
    def of(cls, package: BuiltPackage, held: Held) -> BuiltWheel:
        """Read the one wheel in a held folder, which is released on an error. Raises `WorkFailed` (ENVIRONMENT)."""
        try:
            path = only_wheel(held.path, package.name)
            version = str(parse_wheel_filename(path.name)[1])
            if package.version and version != package.version:
                raise failed(f"{package.name} was built as {version}, and the lock has {package.version}.")
            return cls(replace(package, version=version), path, _requires(path, package.name), held)
        except BaseException:
            held.release()
            raise

    @property
    def requirement(self) -> str:
        """How it is required, whatever an index has of that name."""
        return f"{self.package.name} @ {self.path.as_uri()}"

    @property
    def pinned(self) -> str:
        """How it is installed."""
        return f"{self.requirement} --hash=sha256:{hashlib.sha256(self.path.read_bytes()).hexdigest()}"


def only_wheel(folder: Path, name: str) -> Path:
    """Return the one wheel in a folder, a plain file for the package ``name``. Raises `WorkFailed` (ENVIRONMENT)."""
    paths = sorted(folder.glob("*.whl"))
    if len(paths) != 1:
        raise failed(f"the build of {name} made {len(paths)} wheels; one would do.")
    [path] = paths
    try:
        found = parse_wheel_filename(path.name)[0]
    except InvalidWheelFilename as error:
        raise failed(f"the build of {name} made {path.name!r}, which is no wheel: {error}.") from error
    # What a foreign build leaves may be a link to anywhere.
    if path.is_symlink() or not path.is_file() or found != canonicalize_name(name):
        raise failed(f"the build of {name} made {path.name!r}; a wheel of that name, a plain file, would do.")
    return path


def _requires(wheel: Path, name: str) -> tuple[str, ...]:
    try:
        with zipfile.ZipFile(wheel) as opened:
            [metadata] = [info for info in opened.infolist() if _is_metadata(info.filename)]
            with opened.open(metadata) as file:
                text = file.read(_METADATA_BYTES)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise failed(f"the build of {name} made a wheel that cannot be read: {error}.") from error
    return tuple(map(str, BytesHeaderParser().parsebytes(text).get_all("Requires-Dist") or ()))


def _is_metadata(name: str) -> bool:
    return name.count("/") == 1 and name.endswith(".dist-info/METADATA")
