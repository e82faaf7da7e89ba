"""All environments of a runner: what is installed, and the git repositories, each repository by its name."""

from __future__ import annotations

from handler_runner.environment import Environment, Environments, ServedRepository
from handler_runner.failure import FailureClass, WorkFailed


class EnvironmentsTogether:
    """Asks whoever serves the repository. See `Environments` for the promises."""

    def __init__(self, *parts: Environments) -> None:
        self._parts = parts

    def served(self) -> tuple[ServedRepository, ...]:
        """Return what all parts serve."""
        return tuple(served for part in self._parts for served in part.served())

    def prepare(self, repository: str, commit: str, lock: str = "") -> Environment:
        """See `Environments.prepare`."""
        for part in self._parts:
            if any(served.name == repository for served in part.served()):
                return part.prepare(repository, commit, lock)
        names = ", ".join(served.name for served in self.served())
        raise WorkFailed(FailureClass.ENVIRONMENT, f"this runner has no repository {repository!r}; it has: {names}.")
