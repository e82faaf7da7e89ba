"""Runs one hook of a package's build backend (PEP 517), inside the build's own environment: a script, not imported.

python source_build_hooks.py requires|wheel SOURCES OUTPUT BACKEND [BACKEND_PATH ...]
"""

import importlib
import json
import os
import sys
from typing import Any


def main(hook: str, sources: str, output: str, backend: str, *paths: str) -> None:
    """Writes ``requires.json`` or a wheel into the folder ``output``."""
    os.chdir(sources)
    sys.path[:0] = [os.path.abspath(path) for path in paths]
    module, _, attributes = backend.partition(":")
    target: Any = importlib.import_module(module)
    for name in filter(None, attributes.split(".")):
        target = getattr(target, name)
    if hook == "wheel":
        target.build_wheel(output, None, None)
        return
    ask = getattr(target, "get_requires_for_build_wheel", None)
    requires = ask(None) if ask else []
    with open(os.path.join(output, "requires.json"), "w", encoding="utf-8") as file:
        json.dump(list(requires), file)


if __name__ == "__main__":
    main(*sys.argv[1:])
