"""A library that a machine lacks is named, with what would bring it; found by really failing to load one."""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from dataset_handlers.failures import failure_of
from dataset_handlers.remedies import remedy_of

needs_compiler = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc here")
MODULE = """
#include <Python.h>
int from_the_library(void);
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "painted", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_painted(void) { return from_the_library() ? PyModule_Create(&module) : NULL; }
"""


def compile_against(library: str, folder: Path) -> Path:
    """Return a Python module that was linked with ``library``, which is gone again."""
    (folder / "library.c").write_text("int from_the_library(void) { return 1; }")
    (folder / "painted.c").write_text(MODULE)
    gcc = ["gcc", "-shared", "-fPIC"]
    subprocess.run([*gcc, f"-Wl,-soname,{library}", "-o", folder / library, folder / "library.c"], check=True)
    module = folder / "painted.so"
    include = f"-I{sysconfig.get_path('include')}"
    subprocess.run([*gcc, include, "-o", module, folder / "painted.c", folder / library], check=True)
    (folder / library).unlink()
    return module


@needs_compiler
@pytest.mark.parametrize(
    ("library", "would_do"),
    [
        ("libGL.so.1", "opencv-python-headless in place of opencv-python; else the Debian package libgl1"),
        ("libheif.so.1", "The Debian package libheif1, installed there by the operator, would do"),
        ("libcudart.so.12", "A build of the package for CPUs would do"),
        ("libunheardof.so.3", "The package that brings it, installed there by the operator, would do"),
    ],
)
def test_a_module_whose_library_is_missing_says_which_and_what_would_do(
    library: str, would_do: str, tmp_path: Path
) -> None:
    # Not the machine's own library of that name: it would be found.
    missing = library.replace(".so", "_of_nobody.so")
    module = compile_against(missing, tmp_path)
    spec = importlib.util.spec_from_file_location("painted", module)
    assert spec is not None
    with pytest.raises(ImportError) as caught:
        importlib.util.module_from_spec(spec)
    failure = failure_of(caught.value)
    assert failure["class"] == "HANDLER_ERROR"
    assert f"The system library {missing} is missing on the machine where the handler runs" in failure["message"]
    asked = ImportError(str(caught.value).replace(missing, library))
    assert would_do in remedy_of(asked)


def test_a_library_that_ctypes_cannot_load_is_named() -> None:
    with pytest.raises(OSError) as caught:
        ctypes.CDLL("libunheardof.so.3")
    assert "The system library libunheardof.so.3 is missing" in failure_of(caught.value)["message"]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Error loading shared library libgomp.so.1: No such file", "libgomp.so.1 is missing"),
        ("cannot load library 'libsndfile.so': not there", "Debian package libsndfile1"),
        ("/lib/libc.so.6: version `GLIBC_2.38' not found (required by x.so)", "it needs GLIBC_2.38. An older version"),
    ],
)
def test_what_other_loaders_say_is_understood(message: str, said: str) -> None:
    assert said in remedy_of(OSError(message))


@pytest.mark.parametrize(
    "error", [ImportError("No module named 'x'"), OSError(2, "No such file", "libGL.so.1"), ValueError("libGL.so.1")]
)
def test_other_errors_need_no_remedy(error: Exception) -> None:
    assert remedy_of(error) == ""
