"""Names a system library that a package wants and the machine lacks, and the Debian package that brings it."""

from __future__ import annotations

import re

# What the loaders of glibc and musl, and cffi, say.
_MISSING = (
    re.compile(r"([\w.+-]+\.so[\w.]*): cannot open shared object file"),
    re.compile(r"Error loading shared library ([\w.+-]+\.so[\w.]*)"),
    re.compile(r"cannot load library '([^']+)'"),
    re.compile(r"Library not loaded: (\S+)"),
)
_TOO_OLD = re.compile(r"version `(GLIBC(?:XX)?_[\d.]+)' not found")
# By the library's name without what follows `.so`.
_DEBIAN = {
    "libEGL": "libegl1",
    "libGL": "libgl1",
    "libICE": "libice6",
    "libMagickWand-6.Q16": "libmagickwand-6.q16-6",
    "libSM": "libsm6",
    "libX11": "libx11-6",
    "libXext": "libxext6",
    "libXrender": "libxrender1",
    "libatomic": "libatomic1",
    "libexif": "libexif12",
    "libgeos_c": "libgeos-c1v5",
    "libglib-2.0": "libglib2.0-0",
    "libgomp": "libgomp1",
    "libgthread-2.0": "libglib2.0-0",
    "libheif": "libheif1",
    "libjpeg": "libjpeg62-turbo",
    "libopenblas": "libopenblas0",
    "libopenslide": "libopenslide0",
    "libpng16": "libpng16-16",
    "libsndfile": "libsndfile1",
    "libstdc++": "libstdc++6",
    "libturbojpeg": "libturbojpeg0",
    "libvips": "libvips42",
    "libxcb": "libxcb1",
    "libzbar": "libzbar0",
}
_OF_A_SCREEN = ("libGL", "libEGL", "libICE", "libSM", "libX11", "libXext", "libXrender", "libgthread-2.0", "libxcb")
_OF_A_GPU = ("libcuda", "libcudart", "libcudnn", "libcublas", "libnvinfer", "libnvidia")


def missing_library(error: BaseException) -> str:
    """Returns what would do about a library that ``error`` could not load; empty if that is not what it says."""
    if not isinstance(error, (ImportError, OSError, RuntimeError)):
        return ""
    text = str(error)
    old = _TOO_OLD.search(text)
    if old:
        return (
            f"The package was built for a newer system than this machine: it needs {old.group(1)}. "
            "An older version of it, or the handler's Python environment on a newer system, would do"
        )
    found = next((match.group(1) for match in (pattern.search(text) for pattern in _MISSING) if match), "")
    return _remedy(found.rpartition("/")[2]) if found else ""


def _remedy(library: str) -> str:
    name = library.split(".so")[0]
    said = f"The system library {library} is missing on the machine where the handler runs"
    if name.startswith(_OF_A_GPU):
        return f"{said}: it belongs to a GPU, which handlers do not have. A build of the package for CPUs would do"
    package = f"the Debian package {_DEBIAN[name]}" if name in _DEBIAN else "the package that brings it"
    install = f"{package}, installed there by the operator, would do"
    if name in _OF_A_SCREEN:
        return (
            f"{said}. A package that needs no screen would do, such as opencv-python-headless in place of "
            f"opencv-python; else {install}"
        )
    return f"{said}. {install[0].upper()}{install[1:]}"
