"""Code that no runner will run: it is not trusted, and no sandbox is good enough for it."""

from __future__ import annotations

from dataset_registry.catalog import Transaction, Where
from dataset_registry.records import Runner
from service_kit.errors import FailedPrecondition

# A runner that would run it may be away for so long (a restart, a night) before it counts no more.
GONE_S = 24 * 3600.0


def refusal(tx: Transaction, repository: str) -> str:
    """Return why no runner will run a repository's code; empty: one will, or none has spoken of it."""
    reasons: dict[str, str] = {}
    for runner in tx.find(Runner, Where("seen_time", ">", tx.now() - GONE_S)):
        for each in runner.repositories:
            if each["name"] != repository:
                continue
            if not each.get("refusal"):
                return ""
            reasons[runner.id] = each["refusal"]
    return "; ".join(f"{runner}: {why}" for runner, why in reasons.items())


def check_not_refused(tx: Transaction, repository: str) -> None:
    """Raise `FailedPrecondition` (SANDBOX) when every runner that has the repository refuses its code."""
    why = refusal(tx, repository) if repository else ""
    if why:
        raise FailedPrecondition(f"no runner will run the code of the repository {repository}: {why}", reason="SANDBOX")
