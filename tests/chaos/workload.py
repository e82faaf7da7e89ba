"""A steady stream of requests, many equal and many different, each watched by its caller to the end."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from darkroom_client import AsyncClient, DarkroomError

# How long after the harm a caller may wait for its dataset.
PATIENCE_S = 300.0
REQUESTS_PER_S = 2.0
# The share of requests for what nobody asked for before, and of those for a handler in the seed's style.
NEW, SEED_STYLE = 0.3, 0.3
LATEST = 6
MOST_WAITING = 16


@dataclass(frozen=True)
class Recipe:
    """What is asked for."""

    dataset_name: str
    config: Mapping[str, Any]


@dataclass
class Asked:
    """One caller's story; `name` is empty if the request was not accepted."""

    recipe: Recipe
    asked_s: float
    name: str = ""
    state: str = ""
    key: str = ""
    digest: str = ""
    took_s: float = 0.0
    problem: str = ""


@dataclass
class Workload:
    """Asks from a thread with an event loop, until it is told to stop."""

    server: str
    cache: Path
    seed: int
    most_recipes: int
    asked: list[Asked] = field(default_factory=list)
    recipes: list[Recipe] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._stop = threading.Event()
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._live, daemon=True)

    @property
    def ready(self) -> int:
        """How many callers have their dataset."""
        return sum(each.state == "READY" for each in self.asked)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()

    def check(self) -> None:
        """Raise what no caller should meet, if one did."""
        if self._problem is not None:
            raise self._problem

    @property
    def alive(self) -> bool:
        """Whether a caller still waits."""
        return self._thread.is_alive()

    def _live(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as problem:
            self._problem = problem

    async def _run(self) -> None:
        async with AsyncClient(self.server, self.cache, "chaos@here") as client:
            callers = []
            while not self._stop.is_set():
                # Callers who wait must not become more and more on a slow machine.
                if sum(not each.done() for each in callers) < MOST_WAITING:
                    callers.append(asyncio.create_task(self._ask(client, self._next())))
                await asyncio.sleep(self._chance.expovariate(REQUESTS_PER_S))
            await asyncio.gather(*callers)

    def _next(self) -> Recipe:
        if self.recipes and (len(self.recipes) >= self.most_recipes or self._chance.random() > NEW):
            return self._chance.choice(self.recipes[-LATEST:])
        number = len(self.recipes)
        if self._chance.random() < SEED_STYLE:
            recipe = Recipe("files", {"small_files": 6 + number, "large_bytes": 200_000})
        else:
            recipe = Recipe("street", {"seed": number, "delay_s": 0.04})
        self.recipes.append(recipe)
        return recipe

    async def _ask(self, client: AsyncClient, recipe: Recipe) -> None:
        story = Asked(recipe, time.monotonic())
        self.asked.append(story)
        try:
            request = await client.request_dataset(recipe.dataset_name, "latest", dict(recipe.config))
            story.name, story.state = request.name, str(request.snapshot.state)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    async for snapshot in request.watch():
                        story.state = str(snapshot.state)
            except TimeoutError:
                story.problem = f"it is {story.state} after {PATIENCE_S:.0f} s: {request.snapshot.waiting_for}"
            last = request.snapshot
            story.key = last.key
            story.digest = last.dataset.digest if last.dataset else ""
            if last.failure is not None:
                story.problem = f"{last.failure.failure_class}: {last.failure.message}"
        except DarkroomError as error:
            story.problem = f"{type(error).__name__}: {error}"
        finally:
            story.took_s = time.monotonic() - story.asked_s
