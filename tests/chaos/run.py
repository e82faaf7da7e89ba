"""One run of chaos: a deployment, callers, harm for a while, and the proof that it did none."""

from __future__ import annotations

import random
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from ..e2e.process import until
from .checker import check, settled
from .deployment import Deployment
from .harm import Harm
from .report import Report
from .small_disk import SmallDisk
from .timeline import Timeline
from .undisturbed import UndisturbedHouse
from .workload import Workload

SETTLE_S = 330.0
# Recipes for each second of harm: what two runners can build meanwhile, and then again where nobody disturbs.
RECIPES_PER_S = 0.5


def run(
    folder: Path,
    raw: Path,
    undisturbed: UndisturbedHouse,
    *,
    seconds: float,
    seed: int,
    database: str,
    kinds: Sequence[str],
    bucket: bool,
) -> Report:
    """Do harm of these kinds for so long and prove that it did none. Raises when parts do not come back."""
    kinds = list(kinds)
    with ExitStack() as stack:
        disks = []
        if "disk" in kinds:
            for name in ("registry", "runner-1", "store"):
                disks.append(SmallDisk(folder / "deployment" / name))
                stack.callback(disks[-1].remove)
        deployment = Deployment(
            folder / "deployment", raw, stack, database=database, bucket=bucket, clocks="clock" in kinds
        )
        deployment.begin()
        timeline = Timeline(list(deployment.runners.values()))
        stack.callback(timeline.end)
        timeline.start()
        workload = Workload(
            deployment.both, folder / "callers", seed, most_recipes=max(8, int(seconds * RECIPES_PER_S))
        )
        stack.callback(workload.stop)
        workload.start()
        harm = Harm(deployment, timeline, disks, seed)
        began_s = time.monotonic()

        def look() -> None:
            deployment.supervisor.check()
            workload.check()
            done = sum(harm.done.values()) + sum(len(part.reached) for part in deployment.supervisor.parts)
            tell(f"{time.monotonic() - began_s:4.0f} s, {done} harms, {workload.ready} of {len(workload.asked)} ready")

        def keep_building() -> None:
            look()
            # Most points are met by builds: where all is built, something new has to be asked for.
            if workload.ready == len(workload.asked):
                workload.most_recipes = max(workload.most_recipes, len(workload.recipes) + 1)

        if "points" in kinds:
            harm.at_every_point(keep_building)
        chance = random.Random(seed)
        rest = [each for each in kinds if each != "points"]
        random_until_s = time.monotonic() + seconds
        while rest and time.monotonic() < random_until_s:
            harm.once(chance.choice(rest))
            look()
        workload.stop()
        until(lambda: not workload.alive, "an answer to every caller", SETTLE_S, 0.2)
        until(settled(deployment), "the end of every build", SETTLE_S, 0.5)
        look()
        tell(f"{len(workload.recipes)} datasets are built where nobody disturbs, to compare")
        expected = undisturbed.archives(workload.recipes)
        deployment.stop_everyone()
        findings = check(deployment, workload.asked, expected)
        ended = sum(part.ended for part in deployment.supervisor.parts)
        counted = dict(harm.done) | ({"ended by themselves, to be started again": ended} if ended else {})
        store = "MinIO behind a proxy" if bucket else "a folder as the store"
        title = f"{time.monotonic() - began_s:.0f} s of chaos on {database} and {store}, seed {seed}"
        return Report(title, counted, harm.missed, workload.asked, timeline.resumed_s, findings)


def tell(words: str) -> None:
    """Say how far it is, over what was said before."""
    if sys.stderr.isatty():
        wide = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r{words[:wide]:<{wide}}")
        sys.stderr.flush()
