"""A description must mean what it says, and a wrong one must name the key."""

import re
from pathlib import Path

import pytest
import yaml

from inpainting_models.model_file_description import (
    Masks,
    ModelDescription,
    Pictures,
)
from inpainting_models.model_file_error import ModelFileError
from inpainting_models.model_file_presets import PRESETS
from inpainting_models.model_file_yaml import parse_description, read_description

PAGE = Path(__file__).parents[3] / "docs" / "networks.md"
WHOLE = """
image: {range: [-1, 1], channels: bgr, hole: 0}
mask: {hole: 0, known: 1, channels: 3}
output: {name: result, range: [0, 255], channels: bgr}
layout: nchw
inputs: {x: image+ones+mask}
size: {multiple: 32, fixed: [256, 512]}
training_size: [256, 512]
batch: false
"""


def test_every_key_is_read(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(WHOLE)
    assert read_description(path) == ModelDescription(
        image=Pictures((-1, 1), "bgr", 0),
        mask=Masks(0, 1, 3),
        output=Pictures((0, 255), "bgr"),
        layout="nchw",
        inputs=(("x", ("image", "ones", "mask")),),
        output_name="result",
        multiple=32,
        fixed_size=(256, 512),
        training_size=(256, 512),
        batch=False,
    )


def test_an_empty_description_is_the_default(tmp_path):
    (tmp_path / "empty.yaml").write_text("")
    assert read_description(tmp_path / "empty.yaml") == ModelDescription()


def test_presets_have_names_and_may_be_changed_in_part():
    assert read_description("lama").output.range == (0, 255)
    assert read_description("migan").mask == Masks(hole=0, known=255)
    changed = parse_description({"preset": "lama", "output": {"range": [0, 1]}, "inputs": ["image+mask"]})
    assert changed.output == Pictures((0, 1))
    assert (changed.layout, changed.multiple) == ("nchw", 8)
    assert changed.inputs == (("", ("image", "mask")),)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("image", "the description must be keys and values"),
        ({"images": {}}, "the description has no images; there are preset, image, mask"),
        ({"preset": "dalle"}, "preset is gmcnn, lama, migan or pconv, not 'dalle'"),
        ({"image": {"channels": "hsv"}}, "image.channels is rgb or bgr, not 'hsv'"),
        ({"image": {"range": [0]}}, "image.range is two numbers"),
        ({"output": {"range": [1, 1]}}, "output.range must have two different numbers"),
        ({"output": {"polarity": 1}}, "output has no polarity"),
        ({"mask": {"hole": "white"}}, "mask.hole is a number, not 'white'"),
        ({"mask": {"hole": 0}}, "mask.hole and mask.known must be different"),
        ({"mask": {"channels": 0}}, "mask.channels is a whole number from 1, not 0"),
        ({"layout": "NCHW"}, "layout is nhwc or nchw, not 'NCHW'"),
        ({"inputs": "image"}, r"inputs is a list \(\[image, mask\]\)"),
        ({"inputs": ["image", "depth"]}, "inputs is image, mask or ones, not 'depth'"),
        ({"inputs": ["mask"]}, "inputs has no image"),
        ({"size": {"multiple": True}}, "size.multiple is a whole number"),
        ({"size": {"fixed": 512}}, r"size.fixed is \[height, width\], not 512"),
        ({"size": {"least": 4}}, "size has no least"),
        ({"training_size": [0, 4]}, "training_size is a whole number from 1, not 0"),
        ({"batch": 4}, "batch is true or false, not 4"),
    ],
)
def test_a_wrong_key_or_value_is_named(document, message):
    with pytest.raises(ValueError, match=message):
        parse_description(document)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ModelFileError, match=r"is neither a preset \(gmcnn, lama, migan, pconv\) nor a file"):
        read_description(tmp_path / "nowhere.yaml")
    (tmp_path / "broken.yaml").write_text("image: [")
    with pytest.raises(ModelFileError, match=r"broken\.yaml: is not YAML"):
        read_description(tmp_path / "broken.yaml")
    (tmp_path / "wrong.yaml").write_text("batch: 4")
    with pytest.raises(ModelFileError, match=r"wrong\.yaml: batch is true or false"):
        read_description(tmp_path / "wrong.yaml")


def test_the_page_shows_every_key_and_its_examples_are_right():
    page = PAGE.read_text()
    examples = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    descriptions = [parse_description(example) for example in examples]
    assert descriptions[0] == ModelDescription(training_size=(512, 512)), "the defaults of the page are the defaults"
    assert descriptions[1].inputs == (("", ("image", "mask")),)
    for key in yaml.safe_load(WHOLE) | {"preset": ""}:
        assert re.search(rf"^{key}:|`{key}:", page, re.MULTILINE), key
    for preset in PRESETS:
        assert f"`{preset}`" in page, preset
