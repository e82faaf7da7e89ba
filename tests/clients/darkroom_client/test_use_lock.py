"""Readers share, the collector is alone."""

import os
import subprocess
import sys

from darkroom_client.use_lock import UseLock


def test_readers_share_the_lock_and_keep_the_collector_out(tmp_path):
    path = tmp_path / "use"
    first, second, collector = UseLock(path), UseLock(path), UseLock(path)
    first.share()
    second.share()
    assert not collector.take_alone()
    first.release()
    assert not collector.take_alone()
    second.release()
    assert collector.take_alone()


def test_a_lock_that_is_forgotten_is_released(tmp_path):
    UseLock(tmp_path / "use").share()
    assert UseLock(tmp_path / "use").take_alone()


def test_the_program_that_replaces_the_process_goes_on_holding_it(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from darkroom_client.use_lock import UseLock\n"
        "lock = UseLock(Path(sys.argv[1])).share(); lock.survive_exec()\n"
        "os.execvp('sh', ['sh', '-c', 'echo replaced; read line'])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "use")]
    with subprocess.Popen(command, stdin=-1, stdout=-1, env=os.environ) as process:
        assert process.stdout.readline() == b"replaced\n"
        assert not UseLock(tmp_path / "use").take_alone()
        process.communicate(b"\n")
    assert UseLock(tmp_path / "use").take_alone()
