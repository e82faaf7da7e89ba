"""Configs are read as people type them, and what is wrong is said where it is."""

import io
import sys

import pytest

from darkroom_client import InvalidArgument, NotFound
from darkroom_client.config_input import parse_value, read_config


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("256x512", [256, 512]),
        ("[256,512]", [256, 512]),
        ("2", 2),
        ("2.5", 2.5),
        ("true", True),
        ("null", None),
        ('"7"', "7"),
        ("medium", "medium"),
        ("a=b", "a=b"),
        ("NaN", "NaN"),
        ("", ""),
        ('{"train": 1}', {"train": 1}),
    ],
)
def test_a_value_is_json_or_a_size_or_text(text, value):
    assert parse_value(text) == value


def test_settings_go_over_the_file_and_dots_lead_inwards(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("image_size: [64, 64]\nsplits:\n  train: 0.8\n  test: 0.2\n")
    config = read_config(str(path), ["image_size=32x32", "splits.test=0.1", "mask.kind=boxes", "seed=3"])
    assert config == {
        "image_size": [32, 32],
        "splits": {"train": 0.8, "test": 0.1},
        "mask": {"kind": "boxes"},
        "seed": 3,
    }


@pytest.mark.parametrize(("name", "text"), [("c.json", '{"a": 1e3}'), ("c.yaml", "a: 1000.0"), ("c.yml", '{"a": 1e3}')])
def test_a_file_is_yaml_or_json(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_config(str(tmp_path / name), []) == {"a": 1000.0}


def test_a_dash_reads_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("a: [1, 2]"))
    assert read_config("-", []) == {"a": [1, 2]}


def test_no_file_and_an_empty_file_are_an_empty_config(tmp_path):
    (tmp_path / "c.yaml").write_text("# nothing\n")
    assert read_config(None, []) == read_config(str(tmp_path / "c.yaml"), []) == {}


def test_a_missing_file_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="no config file"):
        read_config(str(tmp_path / "nowhere.yaml"), [])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.yaml", "a: [1", "c.yaml: while parsing"),
        ("c.json", '{"a": }', "line 1 column 7"),
        ("c.yaml", "[1, 2]", "holds list; a config is a mapping"),
        ("c.yaml", "a: 1\na: 2", "'a' is set twice"),
        ("c.json", '{"a": 1, "a": 2}', "'a' is set twice"),
        ("c.yaml", "a: !!python/object:os.system x", "could not determine a constructor"),
    ],
)
def test_a_wrong_file_is_refused_saying_where(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidArgument) as caught:
        read_config(str(tmp_path / name), [])
    assert message in str(caught.value)


@pytest.mark.parametrize("setting", ["image_size", "=3", "a..b=1", ".a=1"])
def test_a_setting_without_name_or_value_is_refused_with_an_example(setting):
    with pytest.raises(InvalidArgument, match="write NAME=VALUE, for example --set image_size=256x256"):
        read_config(None, [setting])


def test_a_setting_inside_what_is_no_object_is_refused():
    with pytest.raises(InvalidArgument, match="a is no object, it has no b"):
        read_config(None, ["a=1", "a.b=2"])
