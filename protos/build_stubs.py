"""Makes the gRPC stubs beside their `.proto` files, at build time and for `make protos`."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent


def build_stubs(root: Path = ROOT) -> list[Path]:
    """Compile every `.proto` below ``root``; return the sources. Raises `RuntimeError` when one does not compile."""
    from grpc_tools import protoc

    sources = sorted(root.rglob("*.proto"))
    includes = [f"-I{root}", f"-I{resources.files('grpc_tools') / '_proto'}"]
    outputs = [f"--{kind}_out={root}" for kind in ("python", "pyi", "grpc_python")]
    if protoc.main(["protoc", *includes, *outputs, *map(str, sources)]) != 0:
        raise RuntimeError("the .proto files do not compile; see the messages above")
    return sources


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # `make protos` runs without hatchling
    pass
else:

    class StubBuildHook(BuildHookInterface):  # type: ignore[misc]
        """Runs before each wheel and editable install, so that a clean clone installs."""

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            build_stubs()


if __name__ == "__main__":
    for source in build_stubs():
        sys.stdout.write(f"{source.relative_to(ROOT)}\n")
