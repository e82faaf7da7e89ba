"""Keeps the laws of the house: who may import whom, read from the sources themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    path.name: path
    for source_root in ("services", "clients", "models")
    for path in sorted((ROOT / source_root).iterdir())
    if path.is_dir() and (path / "__init__.py").exists()
}
LIBRARIES = {"service_kit", "dataset_handlers"}
MAY_IMPORT = {
    "service_kit": set(),
    "dataset_handlers": set(),
    "dataset_registry": {"service_kit", "darkroom"},
    "handler_runner": {"service_kit", "darkroom", "dataset_handlers"},
    "inpainting": {"service_kit", "darkroom", "inpainting_models", "dataset_handlers"},
    "darkroom_client": {"darkroom"},
    "darkroom_console": {"darkroom", "darkroom_client"},
    "inpainting_models": {"dataset_handlers"},
}
# Only a file named for a technology may import it.
TECHNOLOGIES = {
    "sqlalchemy": "_sqlalchemy",
    "alembic": "_sqlalchemy",
    "minio": "_minio",
    "ray": "_ray",
    "opentelemetry": "_opentelemetry",
}
# Down the skeleton of a service: what stands further up may import what stands below it, never the other way.
UPPER = ("__main__", "servicer", "servicer_runner")


def sources(package: str) -> Iterator[Path]:
    yield from sorted(path for path in PACKAGES[package].rglob("*.py") if "migrations" not in path.parts)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_each_package_imports_only_what_the_design_allows(package: str) -> None:
    ours = set(PACKAGES) | {"darkroom"}
    for path in sources(package):
        foreign = {name.split(".")[0] for name in imports(path)} & ours - {package} - MAY_IMPORT[package]
        assert not foreign, f"{path.relative_to(ROOT)} imports {sorted(foreign)}"


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_technology_is_imported_only_by_files_named_for_it(package: str) -> None:
    for path in sources(package):
        for name in imports(path):
            suffix = TECHNOLOGIES.get(name.split(".")[0])
            assert suffix is None or path.stem.endswith(suffix), f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("package", sorted(set(PACKAGES) - LIBRARIES))
def test_nothing_imports_the_servicer_or_the_entrypoint(package: str) -> None:
    for path in sources(package):
        for name in imports(path):
            upward = name.startswith(f"{package}.") and name.split(".")[1] in UPPER
            assert not upward or path.stem == "__main__", f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_every_module_begins_with_a_sentence(package: str) -> None:
    for path in sources(package):
        docstring = ast.get_docstring(ast.parse(path.read_text()))
        assert docstring, f"{path.relative_to(ROOT)} has no docstring"


def test_the_light_client_loads_no_heavy_library() -> None:
    heavy = "{'tensorflow', 'torch', 'cv2', 'keras', 'sqlalchemy', 'minio'}"
    code = f"import sys, darkroom_client, darkroom_client.command; sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"the client loads {run.stderr}"
