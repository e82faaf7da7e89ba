"""The port that turns a handler version into a commit, and what a commit declares into options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from dataset_registry.options import Option
from service_kit.errors import FailedPrecondition, InvalidArgument


class RepositoryAway(FailedPrecondition):
    """The repository does not answer now. A request waits for it; who asks for an answer at once gets this one."""

    reason = "REPOSITORY_AWAY"

    @property
    def waiting_for(self) -> str:
        """What a request waits for, in words."""
        return self.message.replace(" cannot be reached", ", which cannot be reached", 1)


class Repositories(Protocol):
    """Where handlers come from."""

    async def resolve(self, repository: str, version: str) -> str:
        """Return the commit of a version.

        Raises `NotFound` naming the repositories, or the versions, that there are, `InvalidArgument` for the
        beginning of more than one commit, and `RepositoryAway` when it cannot be said now.
        """

    async def newest(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Return each repository's newest versions with their commits, the newest first, as far as they are known."""


@dataclass(frozen=True)
class DeclaredHandler:
    """One handler as its environment describes it."""

    name: str
    description: str
    roles: tuple[str, ...]
    options: tuple[Option, ...]
    example_config: Mapping[str, Any]
    option_texts: Mapping[str, Mapping[str, str]]
    option_examples: Mapping[str, Any] = field(default_factory=dict)
    lock_digest: str = ""
    python: str = ""


def environment_id(repository: str, commit: str) -> str:
    """Return the id of the environment's record and the subject of its work."""
    return f"{repository}@{commit}"


def declared_handlers(description: Mapping[str, Any]) -> dict[str, DeclaredHandler]:
    """Return the handlers of an environment's description, by name."""
    facts = {
        "lock_digest": description.get("lock_digest", ""),
        "python": description.get("platform", {}).get("python", ""),
    }
    return {name: _declared(name, each, facts) for name, each in description["handlers"].items()}


def declared_handler(description: Mapping[str, Any], repository: str, handler: str) -> DeclaredHandler:
    """Return one handler. Raises `InvalidArgument` naming those there are."""
    handlers = declared_handlers(description)
    if handler not in handlers:
        names = ", ".join(f"{repository}/{name}" for name in sorted(handlers)) or "none"
        raise InvalidArgument.of([("handler", f"{repository} has no handler {handler!r}; it has {names}")])
    return handlers[handler]


def _declared(name: str, each: Mapping[str, Any], facts: Mapping[str, str]) -> DeclaredHandler:
    options = tuple(
        Option(
            name=option["name"],
            schema=option.get("schema") or {"type": "any"},
            read_time=bool(option.get("read_time")),
            default=option.get("default"),
            required="default" not in option,
        )
        for option in each["options"]
    )
    texts = {
        option["name"]: {word: str(option.get(word) or "") for word in ("type", "description", "constraint")}
        for option in each["options"]
    }
    return DeclaredHandler(
        name=name,
        description=each.get("description", ""),
        roles=tuple(each.get("roles", ())),
        options=options,
        example_config=each.get("example_config") or {},
        option_texts=texts,
        option_examples={option["name"]: option["example"] for option in each["options"] if "example" in option},
        **facts,
    )
