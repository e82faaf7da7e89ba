"""Fetches the photo that the demo retouches unless told otherwise: a kite in the sky, from a Debian package."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "plasma-workspace-wallpapers"
WALLPAPER = "usr/share/wallpapers/Kite"
# In the archive, and what it is called here.
FILES = {
    f"{WALLPAPER}/contents/images/2560x1600.jpg": "kite.jpg",
    f"{WALLPAPER}/metadata.json": "kite-metadata.json",
    f"usr/share/doc/{PACKAGE}/copyright": "kite-copyright",
}
# The kite, and its line up to the photo's upper edge.
KITE_BOX = "1635,475,205,195"
LINE_STROKE = "14 845,0 1100,163 1300,290 1640,508"
ORIGIN = (
    f"Kite, 2560x1600, by Risto Saukonpää, from Debian's {PACKAGE}: LGPL 3 by the photo's own kite-metadata.json,\n"
    "GPL 2 or later by the package's kite-copyright; both files lie beside it"
)
FETCH_TIMEOUT_S = 90


@dataclass(frozen=True)
class MarkedPhoto:
    """A photo, and what is to go from it, as `darkroom inpaint` takes it."""

    path: Path
    box: str
    """X,Y,W,H."""
    strokes: tuple[str, ...] = ()
    """WIDTH X,Y X,Y ..."""
    origin: str = ""
    """Who made it, where it is from, and its licence."""


def default_photo(folder: Path) -> MarkedPhoto:
    """Return the kite, fetched into ``folder`` once. Raises `LookupError` saying why it cannot be had here."""
    found = MarkedPhoto(folder / "kite.jpg", KITE_BOX, (LINE_STROKE,), ORIGIN)
    if all((folder / name).exists() for name in FILES.values()):
        return found
    missing = [command for command in ("apt-get", "dpkg-deb") if shutil.which(command) is None]
    if missing:
        raise LookupError(f"the default photo comes from a Debian package, and there is no {missing[0]} here")
    folder.mkdir(parents=True, exist_ok=True)
    print(f"$ apt-get download {PACKAGE}    # 94 MB, once; nothing is installed", flush=True)
    try:
        fetched = subprocess.run(
            ["apt-get", "download", PACKAGE], cwd=folder, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise LookupError(f"apt-get did not bring {PACKAGE} within {FETCH_TIMEOUT_S} s") from None
    packages = sorted(folder.glob(f"{PACKAGE}_*.deb"))
    if fetched.returncode or not packages:
        said = (fetched.stderr.strip().splitlines() or ["nothing"])[-1]
        raise LookupError(f"apt-get does not bring {PACKAGE}: {said}")
    try:
        unpack(packages[-1], folder)
    finally:
        for package in packages:
            package.unlink()
    return found


def unpack(package: Path, folder: Path) -> None:
    """Take the photo and its licence out of a Debian package. Raises `LookupError` where they are not in it."""
    # Read as a stream: the other wallpapers never reach the disk.
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as process:
        missing = dict(FILES)
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for member in archive:
                    content = archive.extractfile(member) if member.name.removeprefix("./") in missing else None
                    if content is not None:
                        (folder / missing.pop(member.name.removeprefix("./"))).write_bytes(content.read())
        except tarfile.TarError as error:
            raise LookupError(f"{package.name} cannot be read: {error}") from error
    if missing:
        raise LookupError(f"{package.name} has no {', '.join(missing)}")
