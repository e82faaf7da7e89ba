"""Whatever ends a runner ends what it started."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil

from handler_runner.process_guard import ProcessGuard, kill_group

# Starts a guard and three groups, the second forked, takes the third out again, prints their numbers and waits.
SCRIPT = """
import subprocess, sys, time
from handler_runner.process_guard import ProcessGuard
guard = ProcessGuard()
groups = [subprocess.Popen(["sh", "-c", "sleep 100 & sleep 100"], start_new_session=True) for _ in range(3)]
for group in groups:
    guard.add(group.pid)
guard.drop(groups[2].pid)
print(*[group.pid for group in groups], flush=True)
time.sleep(100)
"""


def members(group):
    def belongs(process):
        try:
            return process.status() != psutil.STATUS_ZOMBIE and psutil.os.getpgid(process.pid) == group
        except (psutil.NoSuchProcess, ProcessLookupError):
            return False

    return [process for process in psutil.process_iter() if belongs(process)]


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_process_takes_its_groups_along_but_not_those_that_it_let_go():
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True) as process:
        first, second, third = map(int, process.stdout.readline().split())
        until(lambda: len(members(second)) == 3)
        process.kill()
    until(lambda: not members(first) and not members(second))
    assert members(third)
    kill_group(third)
    until(lambda: not members(third))


def test_closing_a_guard_kills_what_is_under_it():
    guard = ProcessGuard()
    with subprocess.Popen(["sleep", "100"], start_new_session=True) as process:
        guard.add(process.pid)
        guard.close()
        assert process.wait(60) == -9
    guard.add(1)
    guard.close()


def test_a_group_that_is_gone_may_be_killed():
    with subprocess.Popen(["true"], start_new_session=True) as process:
        pass
    kill_group(process.pid)
