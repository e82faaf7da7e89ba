"""What a child is told."""

from __future__ import annotations

from pathlib import Path

from darkroom.handler.v1 import handler_pb2
from handler_runner.environment import Environment
from handler_runner.handler_command import HandlerCommand

ENVIRONMENT = Environment("lab", "c", "python", (), "")
RAW = {"photos": Path("/raw/street"), "backgrounds": Path("/raw/street/places")}


def test_a_task_becomes_plain_data():
    task = handler_pb2.BuildTask(key="k", handler="copy", config_json='{"image_size":[2,3]}')
    assert HandlerCommand.of(task, ENVIRONMENT, RAW).fields("plan", output="x") == {
        "type": "plan",
        "handler": "copy",
        "config": {"image_size": [2, 3]},
        "raw": {"photos": "/raw/street", "backgrounds": "/raw/street/places"},
        "seed": "k",
        "output": "x",
    }


def test_a_raw_file_is_named_as_its_raw_dataset_names_it():
    command = HandlerCommand.of(handler_pb2.BuildTask(), ENVIRONMENT, RAW)
    assert command.without_folders("/raw/street/a.jpg, /raw/street/places/b.jpg") == "a.jpg, b.jpg"
