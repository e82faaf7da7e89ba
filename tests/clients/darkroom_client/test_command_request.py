"""`darkroom request`: exit codes, one JSON object, and the command that runs when the dataset is there."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def test_the_command_runs_with_the_dataset_in_its_environment_and_passes_its_exit_code_on(darkroom_process, registry):
    script = "echo $DARKROOM_DATASET $DARKROOM_READ_OPTIONS $DARKROOM_KEY; exit 7"
    done = darkroom_process("request", "street", "latest", "--set", "batch_size=3", "--", "sh", "-c", script)
    assert done.returncode == 7
    path, _, rest = done.stdout.strip().partition(" ")
    assert os.path.isdir(path)
    assert rest == f'{{"batch_size": 3}} {registry.facts["key"]}'


def test_the_version_may_be_left_out_before_the_command(darkroom_process):
    done = darkroom_process("request", "street", "--", "sh", "-c", "exit 0")
    assert done.returncode == 0


def test_a_training_reads_what_it_was_given(darkroom_process):
    code = "from darkroom_client import open_dataset; print(sum(1 for _ in open_dataset().as_numpy('train')))"
    done = darkroom_process("request", "street", "--", sys.executable, "-c", code)
    assert done.stdout == "80\n"


def test_without_a_command_the_folder_is_printed(darkroom, registry):
    done = darkroom("request", "street")
    assert done.returncode == 0
    assert done.stdout.strip().endswith(registry.facts["digest"])
    assert os.path.exists(os.path.join(done.stdout.strip(), "manifest.json"))
    assert "100 examples (test 20, train 80)" in done.stderr


def test_json_is_exactly_one_object_and_the_commands_output_goes_elsewhere(darkroom_process, registry):
    done = darkroom_process("request", "street", "--json", "--", "echo", "epoch 1")
    answer = json.loads(done.stdout)
    facts = registry.facts
    assert answer["request"].startswith("requests/")
    assert (answer["key"], answer["digest"], answer["state"]) == (facts["key"], facts["digest"], "READY")
    assert (answer["cached"], answer["examples"]) == (False, 100)
    assert answer["archive"] == f"street_latest_{facts['key']}.zip"
    assert answer["bytes"] > 0
    assert os.path.isdir(answer["path"])
    assert "epoch 1" in done.stderr
    documented = (Path(__file__).parents[3] / "docs" / "commands.md").read_text()
    assert all(f"`{name}`" in documented for name in answer)


def test_a_wrong_config_is_refused_one_line_for_each_field(darkroom):
    done = darkroom("request", "street", "--set", "crop_sise=3")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error: config.crop_sise: unknown; did you mean crop_size?",
        "error: config.image_size: missing",
    ]
    assert done.stdout == ""


def test_an_error_with_json_is_one_object_too(darkroom):
    done = darkroom("request", "street", "--set", "crop_sise=3", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["violations"][1] == {"field": "config.image_size", "description": "missing"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere"], 3, "error: no dataset is defined as 'nowhere'"),
        (["street", "-c", "nowhere.yaml"], 3, "error: no config file nowhere.yaml"),
        (["street", "misfit"], 2, "error: config.crop_size: larger than the image"),
        (["street", "broken"], 1, "error: the handler raised ZeroDivisionError: division by zero"),
        (["street", "--", "no-such-trainer"], 2, "error: no command 'no-such-trainer' is found"),
        (["street", "--set", "x"], 2, "error: --set x: write NAME=VALUE"),
    ],
)
def test_each_failure_has_its_exit_code_and_no_traceback_of_ours(darkroom, arguments, code, message):
    done = darkroom("request", *arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert "darkroom_client" not in done.stderr


def test_the_handlers_traceback_is_shown(darkroom):
    done = darkroom("request", "street", "broken")
    assert done.stderr.startswith("Traceback (most recent call last):\n  1 / 0\n")


def test_detach_prints_the_request_and_goes(darkroom, registry):
    (registry.home / "go").unlink()
    done = darkroom("request", "street", "--detach")
    assert done.returncode == 0
    assert done.stdout.startswith("requests/")
    registry.set("go")
    assert darkroom("get", done.stdout.strip()).returncode == 0


def test_ctrl_c_detaches_and_says_how_to_return(registry, tmp_path):
    (registry.home / "go").unlink()
    environment = os.environ | {"DARKROOM_SERVER": registry.server, "DARKROOM_CACHE": str(tmp_path)}
    command = [sys.executable, "-m", "darkroom_client", "request", "street", "--", "touch", str(tmp_path / "ran")]
    with subprocess.Popen(command, env=environment, stderr=-1, text=True) as process:
        first = process.stderr.readline()
        assert first == "street: building: shards 1/4, examples 0/100; started by anna@gpu3\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert "the build goes on" in said
    assert "darkroom watch requests/" in said
    assert "darkroom get requests/" in said
    assert not (tmp_path / "ran").exists()


def test_a_config_may_come_from_a_file_or_standard_input(darkroom, tmp_path):
    (tmp_path / "config.yaml").write_text("batch_size: 5\n")
    done = darkroom("request", "street", "-c", str(tmp_path / "config.yaml"), "--json")
    assert json.loads(done.stdout)["read_options"] == {"batch_size": 5}
    done = darkroom("request", "street", "-c", "-", "--json", stdin='{"batch_size": 6}')
    assert json.loads(done.stdout)["read_options"] == {"batch_size": 6}


def test_ctrl_c_in_mid_download_keeps_what_came_and_says_how_to_go_on(registry, darkroom, environment):
    registry.set("slow_s", 1)
    command = [sys.executable, "-m", "darkroom_client", "request", "street"]
    with subprocess.Popen(command, env=os.environ | environment, stderr=-1, text=True) as process:
        assert process.stderr.readline().startswith("street: downloading")
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert "what came so far is kept. To go on: darkroom get requests/" in said
    registry.set("slow_s", 0)
    assert darkroom(*said.split("To go on: darkroom ")[1].split()).returncode == 0
