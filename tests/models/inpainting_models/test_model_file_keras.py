"""A Keras file that cannot be used must say so in one sentence that names it."""

import subprocess
import sys
import zipfile

import keras
import pytest

from inpainting_models import load
from inpainting_models.model_file_error import ModelFileError
from inpainting_models.model_file_keras import with_dtype


@pytest.mark.parametrize("name", ["broken.keras", "broken.h5", "broken"])
def test_a_broken_file_is_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"not a model")
    with pytest.raises(ModelFileError, match=f"{name}: is not a Keras model that can be read"):
        load(tmp_path / name)


def test_an_archive_of_something_else_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.keras", "w") as archive:
        archive.writestr("a.txt", "hello")
    with pytest.raises(ModelFileError, match=r"photos\.keras: is not a Keras model"):
        load(tmp_path / "photos.keras")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelFileError, match=r"nowhere\.keras: there is no such file"):
        load(tmp_path / "nowhere.keras")


@pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
    "ignore:You are saving your model as an HDF5 file",
)
@pytest.mark.parametrize("name", ["code.keras", "code.h5"])
def test_code_inside_a_file_is_not_run(tmp_path, name):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda values: values * 2)])
    model.save(tmp_path / name)
    with pytest.raises(ModelFileError, match=f"{name}: is not a Keras model that can be read"):
        load(tmp_path / name)


def test_only_our_networks_change_their_precision():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="Sequential cannot change its dtype"):
        with_dtype(model, "mixed_bfloat16")


def test_painting_with_other_formats_needs_neither_keras_nor_tensorflow():
    """A service that serves an ONNX file starts without seconds of imports, and on machines that have neither."""
    modules = ("keras_painter", "model_file_litert", "model_file_onnx", "model_file_painter", "model_file_yaml")
    code = (
        f"import sys, {', '.join('inpainting_models.' + module for module in modules)}\n"
        "inpainting_models.model_file_yaml.read_description('lama')\n"
        "heavy = {'keras', 'tensorflow', 'onnxruntime', 'ai_edge_litert', 'cv2', 'numba'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
