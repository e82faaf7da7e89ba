"""Does harm to a deployment and proves that nothing was lost, doubled or corrupt: ``python -m tests.chaos``."""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

from ..e2e.photos import make_photos
from .clock import NoFaketime, find_library
from .harm import KINDS
from .run import run
from .small_disk import NoDisk
from .undisturbed import UndisturbedHouse

PHOTO_COUNT = 24


def main() -> int:
    """Run as the command line says; 1 when something was found, 2 when it cannot be run here."""
    arguments = _arguments()
    seed = random.randrange(1_000_000) if arguments.seed is None else arguments.seed
    again = f"python -m tests.chaos --seconds {arguments.seconds} --seed {seed} --database {arguments.database}"
    again += f" --store {arguments.store} --harm {','.join(arguments.harm)}"
    print(f"again: {again}", flush=True)
    # So that what was started is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="darkroom-chaos-"))
    raw = folder / "raw"
    make_photos(raw / "street", PHOTO_COUNT)
    undisturbed = UndisturbedHouse(folder / "undisturbed", raw)
    good = False
    try:
        if "clock" in arguments.harm and arguments.database == "postgresql":
            find_library()
        report = run(
            folder / "run",
            raw,
            undisturbed,
            seconds=arguments.seconds,
            seed=seed,
            database=arguments.database,
            kinds=arguments.harm,
            bucket=arguments.store == "minio",
        )
        print(f"\n{report}")
        good = report.good
    except (NoFaketime, NoDisk, pytest.fail.Exception) as missing:
        print(f"\n{missing}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; everything that was started is ended", file=sys.stderr)
        return 130
    finally:
        undisturbed.end()
        if good:
            shutil.rmtree(folder)
        else:
            print(f"logs and objects: {folder}\nagain: {again}", file=sys.stderr)
    return 0 if good else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=90.0, help="how long harm is done by chance (90)")
    parser.add_argument("--seed", type=int, help="repeats the choices of a run; without one a new one is drawn")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--store", choices=["local", "minio"], default="local")
    parser.add_argument("--harm", type=_kinds, default=list(KINDS), help=f"some of {','.join(KINDS)} (all)")
    return parser.parse_args()


def _kinds(text: str) -> list[str]:
    kinds = text.split(",")
    if unknown := sorted(set(kinds) - set(KINDS)):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)} is no harm; there are {', '.join(KINDS)}")
    return kinds


if __name__ == "__main__":
    sys.exit(main())
