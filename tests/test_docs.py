"""Keeps the documents true: what the code knows has its place, links lead somewhere, examples parse."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["settings.md", "rpcs.md"])
def test_a_reference_page_is_what_the_code_says(generate: ModuleType, page: str) -> None:
    written = (ROOT / "docs" / page).read_text()
    assert written == generate.PAGES[page](), f"run `python docs/generate.py`: docs/{page} is stale"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples_parse(page: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        ast.parse(block)


def test_the_readme_names_every_page() -> None:
    readme = (ROOT / "README.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f"docs/{page.name}" in readme, f"README.md does not name docs/{page.name}"


def test_every_failure_class_is_explained() -> None:
    from darkroom.dataset.v1 import dataset_pb2

    promises = (ROOT / "docs" / "promises.md").read_text()
    for name in dataset_pb2.FailureClass.keys()[1:]:
        assert f"`{name.removeprefix('FAILURE_CLASS_')}`" in promises


def test_compose_sets_only_variables_that_the_services_read() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    settings = (ROOT / "docs" / "settings.md").read_text()
    for service in ("migrate", "registry", "registry-b", "runner", "inpainting"):
        for variable in compose["services"][service]["environment"]:
            assert f"`{variable}`" in settings


def test_every_make_target_says_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in ("help", "setup", "demo", "test", "lint", "bench", "protos", "minio", "postgres"):
        assert re.search(rf"^{target}:.*## \S", makefile, re.MULTILINE), f"make {target} has no words"
