"""Runs one hook of a package's build backend (PEP 517), inside the build's own environment: a script, not imported.

python source_build_hooks.py requires|metadata|wheel SOURCES OUTPUT BACKEND [BACKEND_PATH ...]
"""

import importlib
import json
import os
import sys
import zipfile
from typing import Any


def main(hook: str, sources: str, output: str, backend: str, *paths: str) -> None:
    """Writes ``requires.json``, ``METADATA`` or a wheel into the folder ``output``."""
    os.chdir(sources)
    sys.path[:0] = [os.path.abspath(path) for path in paths]
    module, _, attributes = backend.partition(":")
    target: Any = importlib.import_module(module)
    for name in filter(None, attributes.split(".")):
        target = getattr(target, name)
    if hook == "wheel":
        target.build_wheel(output, None, None)
        return
    if hook == "metadata":
        with open(os.path.join(output, "METADATA"), "wb") as file:
            file.write(metadata(target, os.path.join(output, "made")))
        return
    ask = getattr(target, "get_requires_for_build_wheel", None)
    requires = ask(None) if ask else []
    with open(os.path.join(output, "requires.json"), "w", encoding="utf-8") as file:
        json.dump(list(requires), file)


def metadata(backend: Any, folder: str) -> bytes:
    """Returns the METADATA of the wheel; of one that was built where the backend cannot tell it alone."""
    os.mkdir(folder)
    prepare = getattr(backend, "prepare_metadata_for_build_wheel", None)
    if prepare is not None:
        with open(os.path.join(folder, prepare(folder, None), "METADATA"), "rb") as file:
            return file.read()
    with zipfile.ZipFile(os.path.join(folder, backend.build_wheel(folder, None, None))) as wheel:
        [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        return wheel.read(name)


if __name__ == "__main__":
    main(*sys.argv[1:])
