"""The package installs anywhere: old Pythons, no TensorFlow, no OpenCV, and an import that costs nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import dataset_handlers

ROOT = Path(dataset_handlers.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))


def run(script: str) -> str:
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("source", SOURCES, ids=[path.relative_to(ROOT).as_posix() for path in SOURCES])
def test_every_file_is_python_3_8(source: Path) -> None:
    tree = ast.parse(source.read_text(), feature_version=(3, 8))
    newer = {"removeprefix", "removesuffix", "bit_count", "pairwise", "batched"}
    for node in ast.walk(tree):
        assert not (isinstance(node, ast.Attribute) and node.attr in newer), node.lineno
        assert not (isinstance(node, ast.keyword) and node.arg == "strict"), node.lineno
        if isinstance(node, ast.ImportFrom):
            assert node.module != "functools" or "cache" not in [alias.name for alias in node.names]
    # Annotations must stay text: `X | None` and `list[int]` are no Python 3.8.
    assert "from __future__ import annotations" in source.read_text()


def test_nothing_of_ours_is_imported() -> None:
    ours = {"service_kit", "dataset_registry", "handler_runner", "darkroom_client", "darkroom", "inpainting_models"}
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not ours & {name.split(".")[0] for name in names}, source


def test_importing_it_loads_next_to_nothing() -> None:
    loaded = run("import dataset_handlers, sys; print(*sys.modules)").split()
    assert not {"numpy", "cv2", "tensorflow", "google_crc32c", "multiprocessing", "json"} & set(loaded)


def test_building_a_shard_loads_no_tensorflow() -> None:
    script = """
import sys
from dataset_handlers import commands, shard_writer, planning, stock_inpainting
import dataset_handlers.preview, dataset_handlers.records, dataset_handlers.testing
print(*sys.modules)
"""
    assert "tensorflow" not in run(script).split()


def test_only_the_reader_names_tensorflow() -> None:
    naming = [path.name for path in SOURCES if "import tensorflow" in path.read_text()]
    assert naming == ["reading.py"]


def test_every_public_name_is_there() -> None:
    for name in dataset_handlers.__all__:
        assert getattr(dataset_handlers, name).__name__ == name
    assert set(dataset_handlers.__all__) <= set(dir(dataset_handlers))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        dataset_handlers.Nothing  # noqa: B018


def test_without_opencv_the_operations_say_what_to_install() -> None:
    script = """
import sys
sys.modules["cv2"] = None
import dataset_handlers.commands, dataset_handlers.handler, dataset_handlers.shard_writer
try:
    import dataset_handlers.operations
except ImportError as error:
    print(error)
"""
    assert "pip install 'dataset-handlers[operations]'" in run(script)


def test_the_version_is_the_distributions() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == dataset_handlers.__version__


def test_the_wheel_holds_every_source_under_one_clean_path(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {f"dataset_handlers/{path.relative_to(ROOT).as_posix()}" for path in SOURCES}
    assert names == expected | {"dataset_handlers/py.typed"}
