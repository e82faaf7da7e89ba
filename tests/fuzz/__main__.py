"""Fuzzes every RPC of real services for as long as one likes.

python -m tests.fuzz --messages 100000 --seed 1                   all services, a third of the messages each
python -m tests.fuzz --messages 20000 --seed 2 registry           one of registry, runner, inpainting
python -m tests.fuzz --messages 20000 --postgres registry         on a PostgreSQL of its own in place of SQLite

Prints each defect once, with the bytes that showed it, and ends with 1 if there was any.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from pathlib import Path

import psutil

from dataset_registry.catalog_sqlalchemy import SqlCatalog

from ..postgres import PostgresServer, find_postgres
from .deployment import deployment
from .fuzzing import Report, fuzz

NAMES = ("registry", "inpainting", "runner")


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("targets", nargs="*", choices=[*NAMES, []], help="which services; all by default")
    parser.add_argument("--messages", type=int, default=100_000, help="messages in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true", help="put the catalogue into PostgreSQL")
    chosen = parser.parse_args()
    names = chosen.targets or list(NAMES)
    wrong = False
    with contextlib.ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="darkroom-fuzz-")))
        registry = {"DATABASE_URL": _database(ends)} if chosen.postgres else {}
        targets = ends.enter_context(deployment(folder, names, **registry))
        for name, target in targets.items():
            began_s, before = time.monotonic(), _memory_mib(target.process.pid)
            report = asyncio.run(fuzz(target, chosen.messages // len(targets), chosen.seed, _tell))
            after = _memory_mib(target.process.pid) if target.process.alive() else 0
            _print(name, report, time.monotonic() - began_s)
            sys.stdout.write(f"  memory {before:.0f} MiB before, {after:.0f} MiB after\n")
            wrong = wrong or bool(report.defects)
    return int(wrong)


def _database(ends: contextlib.ExitStack) -> str:
    server = PostgresServer(
        find_postgres(), Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="darkroom-postgres-")))
    )
    server.start()
    ends.callback(server.stop)
    url = server.new_database()
    catalog = SqlCatalog(url)
    catalog.migrate()
    catalog.close()
    return url


def _tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _memory_mib(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / 2**20


def _print(name: str, report: Report, seconds: float) -> None:
    sys.stdout.write(f"{name}: {report.sent} messages in {seconds:.0f} s, {len(report.defects)} defects\n")
    for (method, code), count in sorted(report.ends.items()):
        sys.stdout.write(f"  {method:20} {code:20} {count}\n")


if __name__ == "__main__":
    sys.exit(main())
