"""Work waits for a repository that is away, says so, and goes on when it is back."""

from __future__ import annotations

from dataset_registry.records import Environment, Lock
from handler_runner import environment_prepared
from handler_runner.environment_git import GitEnvironments
from handler_runner.environment_lock import lock_digest
from handler_runner.environment_python import Interpreters
from handler_runner.sandbox_none import NoSandbox
from service_kit.git import GitRepository

from ...git_repositories import Repository

HANDLER = """
from dataset_handlers import DatasetHandler

class Mine(DatasetHandler):
    def samples(self):
        return []
    def examples(self, sample, rng):
        return []
"""


def serve(bench):
    """Give the bench a git repository, and return it with the work's task."""
    mine = Repository(bench.folder / "mine", {"my_handlers.py": HANDLER})
    repositories = {"mine": GitRepository("mine", mine.url, trusted=True)}
    bench.environments = GitEnvironments(
        bench.folder / "environments", repositories, Interpreters(), NoSandbox("not needed")
    )
    return mine, {"repository": "mine", "commit": mine.commit, "version": "main"}


async def test_it_goes_on_when_the_repository_is_back_and_returns_the_lock(bench):
    mine, task = serve(bench)
    away = mine.folder.rename(bench.folder / "away")
    bench.start()
    described = bench.registry.queue("ENVIRONMENT", task)

    def waits():
        return "cannot be reached" in bench.registry.work(described).progress.get("waiting_for", "")

    await bench.registry.until(waits)
    away.rename(mine.folder)
    work = await bench.registry.finished(described, 60.0)
    catalog = bench.registry.catalog
    description = catalog.read(lambda tx: tx.get(Environment, work.subject)).description
    assert list(description["handlers"]) == ["mine"]
    lock = catalog.read(lambda tx: tx.get(Lock, description["lock_digest"])).text
    assert description["lock_digest"] == lock_digest(lock)
    assert "numpy==" in lock


async def test_it_goes_back_to_the_registry_when_the_repository_stays_away(bench, monkeypatch):
    monkeypatch.setattr(environment_prepared, "_PATIENCE_S", 0.5)
    mine, task = serve(bench)
    mine.folder.rename(bench.folder / "away")
    bench.start()
    described = bench.registry.queue("ENVIRONMENT", task)
    work = await bench.registry.finished(described)
    assert work.failure_counts == {"TRANSIENT_IO": 1}
